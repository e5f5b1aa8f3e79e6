import Foundation

/// What the programs say and print: the one place that writes to standard error and standard output.
///
/// What is said is lost without a word where nobody listens: a run of days does not end because a
/// terminal was closed or a log's disk is full. What was asked for is another matter: a result that
/// cannot be written is an error.
public enum Console {
    /// How long a reader that is slow holds up what is said, in milliseconds.
    private static let patience: Int32 = 1000

    /// Makes standard input, output and error safe to use; called before anything is opened.
    ///
    /// One that is closed would be given to the next file that is opened, and words would land
    /// there. A reader that has gone is told by the write that fails, not by a signal that ends the
    /// program; programs that this one starts get the signal as always.
    public static func prepare() {
        // Standard output only to be read: what is printed where nobody can get it is an error still.
        for (descriptor, mode) in [
            (STDIN_FILENO, O_RDONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_WRONLY),
        ] where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest number that is free: the ones before it are taken.
            _ = open("/dev/null", mode)
        }
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in }
        action.sa_flags = SA_RESTART
        sigaction(SIGPIPE, &action, nil)
    }

    /// One line on standard error, if anybody listens.
    public static func say(_ line: String) { show("\(line)\n") }

    /// Text on standard error as it is, if anybody listens.
    public static func show(_ text: String) {
        _ = write(text, to: STDERR_FILENO, patience: patience)
    }

    /// A result on standard output.
    ///
    /// A reader that has seen enough, as `head` has, is no error.
    ///
    /// - Throws: Where it cannot be written.
    public static func print(_ result: String, terminator: String = "\n") throws(RequestError) {
        let code = write(result + terminator, to: STDOUT_FILENO, patience: -1)
        if code == 0 || code == EPIPE { return }
        throw RequestError(
            "standard output: cannot be written: \(String(cString: strerror(code))); what was to "
                + "be printed is lost: give it a file or a pipe with room", exitCode: .inputOutput)
    }

    /// Writes all of it in as few pieces as the system takes.
    ///
    /// - Parameter patience: Milliseconds to wait for a reader; below 0 without end.
    /// - Returns: 0, or what was wrong.
    private static func write(_ text: String, to descriptor: Int32, patience: Int32) -> Int32 {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes {
                Foundation.write(descriptor, $0.baseAddress, $0.count)
            }
            if count > 0 {
                bytes = bytes.dropFirst(count)
                continue
            }
            let code = count == 0 ? ENOSPC : errno
            switch code {
            case EINTR: continue
            case EAGAIN:
                var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                if poll(&wait, 1, patience) == 0 { return code }
            default: return code
            }
        }
        return 0
    }
}
