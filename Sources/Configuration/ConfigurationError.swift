/// A setting that cannot be used: what, where, what to do next.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// One line.
    public let description: String

    /// Says it in one line.
    public init(_ description: String) { self.description = description }

    /// Names the key, what is wrong with it, and where it was given.
    public init(key: String, _ message: String, source: String? = nil) {
        description = "\(source.map { "\($0): " } ?? "")\(key) \(message)"
    }
}
