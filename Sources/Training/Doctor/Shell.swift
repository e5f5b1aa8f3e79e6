import Foundation

/// Questions to the system.
enum Shell {
    /// The exit code and output of a command; nil where it cannot be started or takes too long.
    static func run(_ words: [String], timeout: Double) -> (status: Int32, output: String)? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        do { try process.run() } catch { return nil }
        let late = DispatchWorkItem { process.terminate() }
        DispatchQueue.global().asyncAfter(deadline: .now() + timeout, execute: late)
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        late.cancel()
        // env says 127 where there is no such program.
        if process.terminationReason == .uncaughtSignal || process.terminationStatus == 127 {
            return nil
        }
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    /// Bytes that may still be written below a path; nil where there is no such path.
    static func freeBytes(_ path: String) -> Int? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return Int(status.f_bavail) * Int(status.f_frsize)
    }

    /// The IPv4 addresses of the interfaces that are up, loopback left out.
    static func addresses() -> [(name: String, address: String)] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var found: [(name: String, address: String)] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ifa_next
            let isUp = entry.ifa_flags & UInt32(IFF_UP) != 0
            let isLoopback = entry.ifa_flags & UInt32(IFF_LOOPBACK) != 0
            guard isUp, !isLoopback, let address = entry.ifa_addr,
                Int32(address.pointee.sa_family) == AF_INET
            else { continue }
            var text = [CChar](repeating: 0, count: 64)
            getnameinfo(
                address, socklen_t(MemoryLayout<sockaddr_in>.size), &text, socklen_t(text.count),
                nil, 0, NI_NUMERICHOST)
            let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            found.append(
                (String(cString: entry.ifa_name), String(decoding: bytes, as: UTF8.self)))
        }
        return found
    }
}
