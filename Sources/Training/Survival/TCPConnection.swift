import Foundation

/// One of this host's TCP connections, as the kernel tells of it.
struct TCPConnection: Equatable {
    /// Addresses in hexadecimal, without the port.
    let local: String
    let remote: String
    /// Whether something that was sent has been repeated and not been answered yet.
    let isUnanswered: Bool

    /// All of them, those within the host left out; none where the kernel does not tell.
    static func all() -> [TCPConnection] {
        ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { path in
            let text = FileManager.default.contents(atPath: path) ?? Data()
            return String(decoding: text, as: UTF8.self).split(separator: "\n").dropFirst()
                .compactMap { TCPConnection($0) }
        }
    }

    /// A line: number, local address, remote address, state, queues, timer, repetitions, …
    init?(_ line: Substring) {
        let fields = line.split(separator: " ")
        guard fields.count > 6,
            let local = fields[1].split(separator: ":").first,
            let remote = fields[2].split(separator: ":").first,
            let queued = fields[4].split(separator: ":").first.flatMap({ Int($0, radix: 16) }),
            let repetitions = Int(fields[6], radix: 16)
        else { return nil }
        // Nobody is there yet, or it is the host itself.
        guard remote.contains(where: { $0 != "0" }), remote != local else { return nil }
        (self.local, self.remote) = (String(local), String(remote))
        isUnanswered = queued > 0 && repetitions > 1
    }
}
