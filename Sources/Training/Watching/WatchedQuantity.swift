/// What other programs call a field of the log.
struct WatchedQuantity: Equatable {
    /// What is shown side by side.
    enum Group: String {
        case train, dev, optimizer, speed, progress
    }

    let group: Group
    /// Within the group, in the log's way of writing.
    let name: String
    /// Appended where names tell units: Prometheus's own, or nothing.
    private let unit: String
    /// What it is, in words.
    let help: String

    private init(_ group: Group, _ name: String, unit: String = "", _ help: String) {
        (self.group, self.name, self.unit, self.help) = (group, name, unit, help)
    }

    /// Nil for what is no quantity: the place in the run, and words.
    ///
    /// - Parameter key: Of the log.
    init?(_ key: String) {
        if ["time", "stage", "betterWeights"].contains(key) { return nil }
        self = Self.known[key] ?? Self(.train, key, "Part of the loss: \(key).")
    }

    /// TensorBoard's name, such as `train/loss`.
    var tag: String { "\(group.rawValue)/\(name)" }

    /// Prometheus's name, such as `saccader_train_loss`.
    var metric: String {
        let words = name.map { $0.isUppercase ? "_\($0.lowercased())" : String($0) }.joined()
        return "saccader_\(group.rawValue)_\(words)\(unit.isEmpty ? "" : "_\(unit)")"
    }

    /// Whether it only grows within a stage.
    var isCounter: Bool { unit == "total" }

    private static let known: [String: WatchedQuantity] = [
        "step": Self(.progress, "steps", unit: "total", "Steps done in the stage."),
        "epoch": Self(.progress, "epochs", "Epochs done in the stage."),
        "samples": Self(.progress, "images", unit: "total", "Images seen in the stage."),
        "loss": Self(.train, "loss", "Loss of the step, with all its parts."),
        "accuracy": Self(
            .train, "accuracy", unit: "ratio", "Part of the step's images that were right."),
        "reward": Self(.train, "reward", "Mean reward of the step's samples."),
        "baseline": Self(.train, "baseline", "Baseline that is taken from the reward."),
        "learningRate": Self(.optimizer, "learningRate", "Learning rate of the step."),
        "gradientNorm": Self(.optimizer, "gradientNorm", "Norm of the gradient of all weights."),
        "imagesPerSecond": Self(
            .speed, "imagesPerSecond", "Images of all ranks, divided by the step's seconds."),
        "allReduceSeconds": Self(
            .speed, "allReduceSeconds", "Time in which the step's gradients were summed."),
        "communicationWaitSeconds": Self(
            .speed, "communicationWaitSeconds", "Time in which the step waited for other ranks."),
        "communicationHiddenSeconds": Self(
            .speed, "communicationHiddenSeconds", "Time in which sums ran beside the step."),
        "dataWaitSeconds": Self(
            .speed, "dataWaitSeconds", "Time in which the step waited for images."),
        "developmentAccuracy": Self(
            .dev, "accuracy", unit: "ratio", "Part of the development images that were right."),
        "emaDevelopmentAccuracy": Self(
            .dev, "emaAccuracy", unit: "ratio", "The same by the averaged weights."),
    ]
}
