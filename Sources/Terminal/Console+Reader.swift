import Foundation

extension Console {
    /// Whether somebody may still read what is printed: of a pipe that `head` has closed, nobody.
    public static var hasReader: Bool {
        var state = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
        return poll(&state, 1, 0) <= 0 || state.revents & Int16(POLLERR) == 0
    }

    /// Whether what is printed is shown on a terminal at once.
    public static var printsOnTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
}
