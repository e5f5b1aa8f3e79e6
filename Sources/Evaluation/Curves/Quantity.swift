/// What curves are drawn of.
enum Quantity: String, CaseIterable {
    case loss, accuracy, reward, learningRate

    /// The keys of the log: the first is drawn raw and smoothed, others as marked points, the third
    /// of the averaged weights with hollow marks.
    var keys: [String] {
        switch self {
        case .loss: ["loss"]
        case .accuracy: ["accuracy", "developmentAccuracy", "emaDevelopmentAccuracy"]
        case .reward: ["reward"]
        case .learningRate: ["learningRate"]
        }
    }

    /// What plots call it.
    var title: String {
        switch self {
        case .loss: "Loss"
        case .accuracy: "Accuracy (%)"
        case .reward: "Reward"
        case .learningRate: "Learning rate"
        }
    }

    /// What the log's values are multiplied by.
    var factor: Double { self == .accuracy ? 100 : 1 }

    /// Whether it is noisy, so that a smoothed line says more.
    var isSmoothed: Bool { self != .learningRate }

    /// Whether the axis begins at 0.
    var startsAtZero: Bool { self != .loss }

    /// The name of its files.
    var fileName: String { "curve-\(rawValue)" }
}
