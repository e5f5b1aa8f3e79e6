import Layers
import Tensors

/// What a stage's step is planned for.
public struct StepPlan: Sendable {
    /// The precision of what is stored between layers; the parameters are the same.
    public let precision: Precision
    /// The model's numbers, which are there already: a stage may read at once what it does not train.
    public let store: ParameterStore
    /// The rank's threads.
    public let pool: ThreadPool
    /// The most images of a step on this rank.
    public let imageCapacity: Int
    /// The most shards of a step on this rank.
    public let shardCapacity: Int
    /// The weight of each logit's class in the cross entropy; empty: all 1.
    public let classWeights: [Double]

    /// Describes a step.
    public init(
        precision: Precision = .float32, store: ParameterStore, pool: ThreadPool,
        imageCapacity: Int, shardCapacity: Int, classWeights: [Double] = []
    ) {
        (self.precision, self.store, self.pool) = (precision, store, pool)
        (self.imageCapacity, self.shardCapacity) = (imageCapacity, shardCapacity)
        self.classWeights = classWeights
    }
}
