import Layers
import Models

extension ParameterGroup {
    /// The glimpse network, the classification cell and the logits.
    static let classification = ParameterGroup("classification", l2Name: "l2")
    /// The location cell and the emission.
    static let policy = ParameterGroup("location", l2Name: "l2Location")
}

extension Stage {
    /// The classifier learns from glimpses at places drawn uniformly.
    public static let dramPretrain = Stage("dramPretrain", stream: 4, trains: [.classification])
    /// The policy learns by REINFORCE, everything else by the cross entropy.
    public static let dram = Stage("dram", stream: 5, trains: [.classification, .policy])
}
