import Foundation
import Terminal

/// Checkpoints of one model under one name: what stands as `NAME=CHECKPOINT` on the command line.
public struct ComparisonGroup: Equatable, Sendable {
    /// What tables and plots call it.
    public let name: String
    /// The model's checkpoints; several are several seeds.
    public private(set) var checkpoints: [String]

    /// The groups in the order of their first appearance; none where no argument has a name.
    public static func groups(_ arguments: [String]) throws(RequestError) -> [ComparisonGroup] {
        var groups: [ComparisonGroup] = []
        for argument in arguments {
            // A file whose name has an equals sign is meant as it stands.
            guard let sign = argument.firstIndex(of: "="),
                !FileManager.default.fileExists(atPath: argument)
            else { continue }
            let name = String(argument[..<sign])
            if name.isEmpty || name.contains("/") || name.hasPrefix(".") {
                throw RequestError(
                    "\(argument): \"\(name)\" is no name for a folder of results; give "
                        + "NAME=CHECKPOINT")
            }
            let path = String(argument[argument.index(after: sign)...])
            if path.isEmpty {
                throw RequestError(
                    "\(argument): names no checkpoint; give NAME=CHECKPOINT")
            }
            if let index = groups.firstIndex(where: { $0.name == name }) {
                groups[index].checkpoints.append(path)
            } else {
                groups.append(ComparisonGroup(name: name, checkpoints: [path]))
            }
        }
        let named = groups.reduce(0) { $0 + $1.checkpoints.count }
        if !groups.isEmpty, named < arguments.count {
            throw RequestError(
                "some checkpoints have a name and some have none: give each as NAME=CHECKPOINT, or "
                    + "none")
        }
        return groups
    }
}
