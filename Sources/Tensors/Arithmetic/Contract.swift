/// What callers of the engine owe it, checked in every build: its targets are built without preconditions, so that a
/// false one would pass and give wrong numbers without a word.
enum Contract {
    /// Ends the program with a message where the condition does not hold: a mistake in the program, not in its input.
    static func require(_ condition: Bool, _ message: StaticString) {
        if !condition { fail(message) }
    }

    /// Ends the program with a message.
    static func fail(_ message: StaticString) -> Never { fatalError("\(message)") }
}
