import Layers
import Tensors

/// What one step trains on.
public struct TrainingBatch: Sendable {
    /// Standardised pixels of this rank's images, `[N, H, W, 3]`.
    public let images: [Float]
    /// Their classes, `[N]`.
    public let labels: [Int32]
    /// Where the joint stage's glimpses come from.
    public let glimpses: GlimpseSource

    /// Names a batch.
    public init(images: [Float], labels: [Int32], glimpses: GlimpseSource) {
        (self.images, self.labels, self.glimpses) = (images, labels, glimpses)
    }
}

/// Where the joint stage's trajectories come from.
public enum GlimpseSource: Sendable {
    /// Sampled from the policy; the numbers are keyed by seed, stream (stage and step) and the
    /// image's identifier `[N]`, so they do not depend on ranks.
    case sampled(seed: UInt64, stream: UInt64, identifiers: [Int])
    /// Given, `[S, N, T]`.
    case fixed([Int32])
}

/// The loss of one step over the images of all ranks, without L2.
public struct LossReport: Equatable, Sendable {
    /// Eq. 4 and 6.
    public var crossEntropy: Double?
    /// Eq. 5.
    public var location: Double?
    /// The policy term of eq. 6.
    public var reinforce: Double?
    /// The part of images classified correctly; in the location stage the part of glimpses at
    /// which the greedy policy agrees with the target.
    public var accuracy: Double
    /// The mean reward over all images and samples, which is the baseline b of eq. 6.
    public var baseline: Double?

    /// The sum of the terms.
    public var total: Double { (crossEntropy ?? 0) + (location ?? 0) + (reinforce ?? 0) }
}

/// One stage's forward, loss and backward on a planned workspace.
///
/// A step calls the three in order; between them nothing is kept outside the workspace.
public protocol Objective: Sendable {
    /// Bytes that the plan laid out, parameters not counted.
    var workspace: Workspace { get }
    /// Copies the images in and fills all activations.
    func forward(_ batch: TrainingBatch, pass: Pass) throws
    /// The loss over all ranks; with it the joint stage's baseline.
    func loss(_ batch: TrainingBatch, pass: Pass) throws -> LossReport
    /// Overwrites the gradients of the stage's parameters with this rank's part of them.
    func backward(_ batch: TrainingBatch, _ report: LossReport, pass: Pass) throws
    /// Every named activation of the last forward and loss, for `trace`.
    func trace(imageCount: Int) -> [TracedArray]
}

/// A named array of a trace.
public struct TracedArray: Sendable {
    /// The path below `/trace`.
    public let path: String
    /// Row-major dimensions.
    public let shape: [Int]
    /// The numbers.
    public let values: Values

    /// Numbers of either kind.
    public enum Values: Sendable {
        /// Single precision.
        case floats([Float])
        /// Integers.
        case integers([Int32])
    }

    /// Names an array.
    public init(_ path: String, _ shape: [Int], _ values: Values) {
        (self.path, self.shape, self.values) = (path, shape, values)
    }

    /// Names the first `imageCount` images of an activation.
    init<Element>(_ path: String, _ activation: Activation<Element>, imageCount: Int) {
        let shape = activation.shape
        self.init(
            path, [imageCount, shape.height, shape.width, shape.channels],
            .floats(activation.values(imageCount: imageCount)))
    }
}

/// Sums over shards and ranks of a step's losses and counts, one row of columns per shard.
struct LossTable: Sendable {
    private let table: Tensor<Double>
    private let columns: Int

    init(columns: Int, in workspace: Workspace) {
        self.columns = columns
        table = Tensor(vector: max(1, workspace.shardCapacity) * columns, in: workspace.arena)
    }

    /// The columns of a shard, set to 0.
    func cleared(shard: Int) -> UnsafeMutablePointer<Double> {
        let row = table.pointer + shard * columns
        row.update(repeating: 0, count: columns)
        return row
    }

    /// The columns summed over all shards of all ranks.
    func sum(pass: Pass) throws -> [Double] {
        try pass.sum(table, length: columns)
        return table.elements(columns)
    }
}

extension RepresentationNetwork.Buffers {
    /// The network's arrays of a trace.
    func trace(imageCount: Int) -> [TracedArray] {
        [
            TracedArray("representation/features", features, imageCount: imageCount),
            TracedArray("representation/what", what, imageCount: imageCount),
            TracedArray(
                "representation/logits2d", Activation(final: logits), imageCount: imageCount),
        ]
    }
}

extension Saccader.LocationBuffers {
    /// The attention network's array of a trace; none where the network is left out.
    func trace(imageCount: Int) -> [TracedArray] {
        attention.last.map {
            [TracedArray("attention/where", $0.output, imageCount: imageCount)]
        } ?? []
    }
}
