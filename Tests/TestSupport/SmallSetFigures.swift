import Foundation

/// Losses, clipped gradients and averages of weights as PyTorch has them, by
/// TrainingTests/Fixtures/make_small_sets.py.
public struct SmallSetFigures: Decodable, Sendable {
    /// A cross entropy's mean over the images.
    public struct Loss: Decodable, Sendable {
        /// Of the classes; none: all 1.
        public let weights: [Double]
        public let smoothing: Double
        public let loss: Double
        /// Of the logits, `[6, 4]`.
        public let gradient: [Double]
    }

    /// A gradient whose norm was more than it should be, or not.
    public struct Clip: Decodable, Sendable {
        public let clip: Double
        public let norm: Double
        public let clipped: [Double]
    }

    /// A moving average over the steps.
    public struct Average: Decodable, Sendable {
        public let decay: Double
        public let warmup: Double
        /// After each step, seven weights and three statistics.
        public let averages: [[Double]]
    }

    /// `[6, 4]`.
    public let logits: [Float]
    public let labels: [Int32]
    public let losses: [Loss]
    public let gradient: [Float]
    public let clips: [Clip]
    /// Seven weights and three statistics after each step.
    public let steps: [[Float]]
    public let averages: [Average]

    /// Reads the file.
    public static func read() throws -> SmallSetFigures {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../TrainingTests/Fixtures/small_sets.json")
        return try JSONDecoder().decode(SmallSetFigures.self, from: Data(contentsOf: path))
    }
}
