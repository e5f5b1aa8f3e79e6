/// A part of a model whose parameters are trained and regularised alike.
public struct ParameterGroup: Hashable, Sendable {
    /// What the part is called, for example `location`.
    public let name: String
    /// What logs and traces call its regularisation term, for example `l2Location`.
    public let l2Name: String

    /// Names a group.
    public init(_ name: String, l2Name: String) {
        (self.name, self.l2Name) = (name, l2Name)
    }
}

extension ParameterLayout {
    /// How many numbers of a group can be trained.
    public func trainableCount(of group: ParameterGroup) -> Int {
        parameters.filter { $0.group == group }.reduce(0) { $0 + $1.count }
    }
}
