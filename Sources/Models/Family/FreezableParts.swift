/// The parts of a model that a stage can leave untouched (`stages.STAGE.freeze`), named as in
/// checkpoints.
///
/// A part is named by its path or by one above it. The parts of a chain are frozen from the first
/// one on, so that no gradient has to pass through what is frozen.
public struct FreezableParts: Sendable {
    /// All of the model, in the order of the forward pass.
    public let parts: [String]
    /// What a stage trains of them, in the same order.
    public let trained: [String]
    /// The parts that are frozen from the first one on; the others as one likes.
    public let chain: [String]
    /// What a reader who gave a wrong name is told to choose from.
    private let choices: String

    /// Lists the parts.
    ///
    /// - Parameters:
    ///   - trained: Nil: all of them.
    ///   - chain: Nil: all that the stage trains.
    ///   - choices: Names of several parts, told in the place of all parts where there are many.
    public init(
        _ parts: [String], trained: [String]? = nil, chain: [String]? = nil,
        choices: String? = nil
    ) {
        self.parts = parts
        self.trained = trained ?? parts
        self.chain = chain ?? self.trained
        self.choices = choices ?? parts.joined(separator: ", ")
    }

    /// Whether a list names a path itself or what it lies in.
    public static func isNamed(_ path: String, in names: [String]) -> Bool {
        names.contains { path == $0 || path.hasPrefix("\($0)/") }
    }

    /// How many parts of the chain a list names, from the first on.
    public func frozenCount(_ names: [String]) -> Int {
        chain.prefix { Self.isNamed($0, in: names) }.count
    }

    /// What is wrong with a stage's list.
    public func problem(_ names: [String]) -> SettingProblem? {
        text(names).map { SettingProblem("freeze", $0) }
    }

    private func text(_ names: [String]) -> String? {
        if let unknown = names.first(where: { name in
            !parts.contains { Self.isNamed($0, in: [name]) }
        }) {
            return "names \(unknown), which is no part of the model: choose from \(choices)"
        }
        if trained.allSatisfy({ Self.isNamed($0, in: names) }) {
            return "leaves the stage nothing to train: it trains \(trained.joined(separator: ", "))"
        }
        let frozen = chain.filter { Self.isNamed($0, in: names) }
        if let (_, late) = zip(chain, frozen).first(where: { $0 != $1 }),
            let first = chain.first(where: { !frozen.contains($0) })
        {
            return "names \(late), but not \(first) before it: frozen parts are the first of "
                + chain.joined(separator: ", ")
        }
        return nil
    }
}
