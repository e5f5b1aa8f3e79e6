import Collectives
import Files
import Foundation
import Terminal

/// Whether all ranks see the same output folder: the first one puts a file there, and the others
/// look for it.
enum SharedFolder {
    /// How long a network file system may take to show a new file, in seconds.
    private static let patience = 10.0

    /// Refuses ranks to whom `--output` is another folder than to the first; all ranks call this,
    /// once the first has made the folder.
    static func require(_ output: String, communicator: any Communicator) throws {
        guard communicator.size > 1 else { return }
        let path = "\(output)/.shared"
        var mark = ""
        if communicator.rank == 0 {
            mark = String(UInt64.random(in: 0...UInt64.max), radix: 16)
            try AtomicFile.write(path, text: mark)
        }
        defer { if communicator.rank == 0 { unlink(path) } }
        mark = try communicator.gather(mark)[0]
        let hosts = try communicator.gather(ProcessInfo.processInfo.hostName)
        // On the host of the first rank it is there at once.
        let deadline = Date() + (hosts[communicator.rank] == hosts[0] ? 0.3 : patience)
        func sees() -> Bool {
            FileManager.default.contents(atPath: path) == Data(mark.utf8)
        }
        while !sees() && Date() < deadline { Thread.sleep(forTimeInterval: 0.1) }
        let seen = try communicator.gather([sees() ? 1.0 : 0.0])
        let blind = seen.indices.filter { seen[$0][0] == 0 }
        guard !blind.isEmpty else { return }
        let paths = try communicator.gather(URL(fileURLWithPath: output).standardizedFileURL.path)
        throw RequestError(
            "--output \(output) is another folder on \(RankArithmetic.list(blind)) "
                + "(\(paths[blind[0]])) than on rank 0 (\(paths[0])): give all ranks one folder "
                + "that all hosts share")
    }
}
