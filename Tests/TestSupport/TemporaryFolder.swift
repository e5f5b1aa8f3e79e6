import Foundation

/// A folder that goes away with its last owner.
public final class TemporaryFolder: Sendable {
    /// Where it is.
    public let path: String

    /// Makes it.
    public init() throws {
        path = "\(NSTemporaryDirectory())/saccader-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            print("left behind: \(path): \(error)")
        }
    }

    /// A path inside it.
    public func path(_ name: String) -> String { "\(path)/\(name)" }
}
