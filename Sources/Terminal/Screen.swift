import Foundation

/// The terminal that a person reads standard error on.
enum Screen {
    /// The terminal's width in characters; nil where standard error does not end on one.
    static var columns: Int? {
        guard movesCursor(ProcessInfo.processInfo.environment) else { return nil }
        if isatty(STDERR_FILENO) == 1 { return width(of: STDERR_FILENO) }
        guard let path = launcherPath else { return nil }
        let descriptor = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return isatty(descriptor) == 1 ? width(of: descriptor) : nil
    }

    /// Whether the terminal rewrites a line, and the user wants it to (https://no-color.org).
    static func movesCursor(_ environment: [String: String]) -> Bool {
        let kind = environment["TERM"] ?? ""
        return !kind.isEmpty && kind != "dumb" && (environment["NO_COLOR"] ?? "").isEmpty
    }

    /// Where mpirun passes on what its ranks write: to them standard error is a pipe, but what
    /// they say ends on mpirun's own.
    private static var launcherPath: String? {
        guard ProcessInfo.processInfo.environment["OMPI_COMM_WORLD_RANK"] != nil else { return nil }
        do {
            let path = try FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/\(getppid())/fd/\(STDERR_FILENO)")
            return path.hasPrefix("/dev/") ? path : nil
        } catch {
            // Not the same user, or no mpirun on this host: no terminal that we know of.
            return nil
        }
    }

    private static func width(of descriptor: Int32) -> Int {
        var size = winsize()
        let isKnown = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return isKnown ? Int(size.ws_col) : 80
    }
}
