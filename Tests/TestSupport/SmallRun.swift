import Foundation

/// A training run that takes a second: the demonstration's images and a small model.
public enum SmallRun {
    /// Batches of 12 in shards of 4: three shards, which 2 or 4 ranks cannot share evenly, and a
    /// last batch of 2 of the 50 images.
    public static let configuration = """
        model:
          classes: 10
          mixedFeatures: 16
          representation: {stemChannels: 8, planes: [8, 16], blocks: [1, 1], strides: [2, 2], kernel3: [1, 1]}
          classifier: {stemChannels: 8, planes: [8, 16], blocks: [1, 1], strides: [1, 2], expansion: 2}
          dram: {glimpseSize: 21, stemChannels: 8, planes: [8, 16], blocks: [1, 1], strides: [2, 1], classificationUnits: 16, locationUnits: 16, normMomentum: 0.9}
        data: {imageSize: 64, backgroundClass: false, augmentation: randomArea, centralCropMargin: 0}
        stages:
          representation: {epochs: 4, batchSize: 12, shardSize: 4, learningRate: 0.05, warmupEpochs: 1}
          location: {epochs: 4, batchSize: 12, shardSize: 4, learningRate: 0.05, warmupEpochs: 1}
          joint: {epochs: 4, batchSize: 12, shardSize: 4, learningRate: 0.02, warmupEpochs: 1}
          classifier: {epochs: 4, batchSize: 12, shardSize: 4, learningRate: 0.05, warmupEpochs: 1}
          dramPretrain: {epochs: 4, batchSize: 12, shardSize: 4, learningRate: 0.05, warmupEpochs: 1, glimpses: 2}
          dram: {epochs: 4, batchSize: 12, shardSize: 4, learningRate: 0.05, warmupEpochs: 1, glimpses: 2, samples: 2, deviation: 0.3}
        evaluation: {everyEpochs: 2}
        log: {everySteps: 1}
        """

    /// Writes the configuration into `folder`.
    public static func writeConfiguration(_ folder: TemporaryFolder) throws -> String {
        let path = folder.path("config.yaml")
        try configuration.write(toFile: path, atomically: false, encoding: .utf8)
        return path
    }

    /// `saccader-dist train` on `data`, into `output`.
    public static func train(
        ranks: Int, threads: Int = 1, configuration: String, data: String, output: String,
        _ more: [String] = []
    ) throws -> CommandRun {
        try CommandRun(
            "saccader-dist",
            [
                "train", "--config", configuration, "--set", "data.path=\(data)", "--output",
                output, "--threads", "\(threads)", "--quiet",
            ] + more, ranks: ranks)
    }

    private static let timed: Set<String> = [
        "time", "imagesPerSecond", "allReduceSeconds", "communicationWaitSeconds",
        "communicationHiddenSeconds", "dataWaitSeconds",
    ]

    /// The lines of `metrics.jsonl`, without what a clock measured.
    public static func metrics(_ output: String) throws -> [[String: Double]] {
        try lines(output).map { $0.filter { !timed.contains($0.key) } }
    }

    /// What a clock measured, of each step.
    public static func times(_ output: String) throws -> [[String: Double]] {
        try lines(output).filter { $0["loss"] != nil }
            .map { $0.filter { timed.contains($0.key) } }
    }

    private static func lines(_ output: String) throws -> [[String: Double]] {
        try String(contentsOfFile: "\(output)/metrics.jsonl", encoding: .utf8)
            .split(separator: "\n").map { line in
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
                return (object as? [String: Any] ?? [:]).compactMapValues {
                    ($0 as? NSNumber)?.doubleValue
                }
            }
    }
}
