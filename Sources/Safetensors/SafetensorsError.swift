/// A file that is no safetensors file, or not one that can be taken.
public struct SafetensorsError: Error, Equatable, CustomStringConvertible {
    /// The file.
    public let path: String
    /// What is wrong with it, and what to do.
    public let reason: String

    /// One line: the file and what is wrong with it.
    public var description: String { "\(path): \(reason)" }

    init(_ path: String, _ reason: String) { (self.path, self.reason) = (path, reason) }
}
