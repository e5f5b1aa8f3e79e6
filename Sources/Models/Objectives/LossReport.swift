/// The loss of one step over the images of all ranks, without L2.
public struct LossReport: Equatable, Sendable {
    /// The cross entropy of eq. 4 and 6.
    public var crossEntropy: Double?
    /// The location loss of eq. 5.
    public var location: Double?
    /// The policy term of eq. 6.
    public var reinforce: Double?
    /// The part of images classified correctly; in the location stage the part of glimpses at
    /// which the greedy policy agrees with the target.
    public var accuracy: Double
    /// The mean reward r over all images, samples and glimpses that have one.
    public var reward: Double?
    /// The baseline b of eq. 6, which is taken from each reward: in the Saccader's joint stage this
    /// step's mean reward itself.
    public var baseline: Double?
    /// Σ w_y over the images, by which the mean of the cross entropy divides; nil where there is
    /// no cross entropy.
    public var weight: Double?

    /// Names the terms that a stage has.
    public init(
        crossEntropy: Double? = nil, location: Double? = nil, reinforce: Double? = nil,
        accuracy: Double, reward: Double? = nil, baseline: Double? = nil, weight: Double? = nil
    ) {
        (self.crossEntropy, self.location, self.reinforce) = (crossEntropy, location, reinforce)
        (self.accuracy, self.reward, self.baseline) = (accuracy, reward, baseline)
        self.weight = weight
    }

    /// The sum of the terms.
    public var total: Double { (crossEntropy ?? 0) + (location ?? 0) + (reinforce ?? 0) }
}
