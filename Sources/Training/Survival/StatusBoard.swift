import Files
import Foundation

/// Where each rank says how it is: one small file a rank in the output folder, which all share.
///
/// A rank that is stopped, or whose host is cut off, cannot be asked; that its status no longer
/// changes is what tells the others. Statuses do not depend on the hosts' clocks.
struct StatusBoard: Sendable {
    /// A rank's status.
    struct Status: Codable, Equatable, Sendable {
        let rank: Int
        let host: String
        let process: Int32
        let moment: Activity.Moment
        /// Seconds since the rank has moved on.
        let idleSeconds: Double
        /// Counts the rank's statuses.
        let beat: Int
        /// The addresses by which this host has TCP connections, as the kernel writes them.
        var addresses: [String] = []
        /// The addresses of other hosts to which messages are repeated because no answer comes.
        var unanswered: [String] = []
    }

    private let folder: String

    /// The board of a run.
    init(output: String) { folder = "\(output)/.ranks" }

    /// The file of the rank's status.
    func path(_ rank: Int) -> String { "\(folder)/\(rank).json" }

    private func temporary(_ rank: Int) -> String { "\(path(rank)).tmp" }

    /// Makes an empty board; the first rank does so before the others post.
    func create() throws {
        if FileManager.default.fileExists(atPath: folder) {
            try FileManager.default.removeItem(atPath: folder)
        }
        try AtomicFile.createFolder(folder)
    }

    /// Leaves no trace of this rank.
    func remove(rank: Int) {
        unlink(path(rank))
        unlink(temporary(rank))
        rmdir(folder)
    }

    /// Replaces the rank's status.
    func post(_ status: Status) throws {
        let temporary = temporary(status.rank)
        do {
            try JSONEncoder().encode(status).write(to: URL(fileURLWithPath: temporary))
            guard rename(temporary, path(status.rank)) == 0 else {
                throw FileError(writing: path(status.rank))
            }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// The rank's status; nil where it has left none that can be read.
    func status(of rank: Int) -> Status? {
        guard let data = FileManager.default.contents(atPath: path(rank)) else { return nil }
        do { return try JSONDecoder().decode(Status.self, from: data) } catch { return nil }
    }
}
