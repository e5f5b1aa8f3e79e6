import Layers

/// One stage of a family's training, for example the Saccader's `joint`.
public struct Stage: Hashable, Comparable, Sendable {
    /// What commands, settings and checkpoints call it.
    public let name: String
    /// Part of the random numbers' keys, and the stages' order: never changed once a release has it.
    public let stream: Int
    /// The groups of parameters that it trains.
    public let groups: [ParameterGroup]

    /// Names a stage.
    public init(_ name: String, stream: Int, trains groups: [ParameterGroup]) {
        (self.name, self.stream, self.groups) = (name, stream, groups)
    }

    /// Whether the stage trains a parameter.
    public func trains(_ parameter: Parameter) -> Bool { groups.contains(parameter.group) }

    /// The order of training.
    public static func < (left: Stage, right: Stage) -> Bool { left.stream < right.stream }
}
