/// The weights of a stage's classes in its cross entropy, as settings give them.
public enum ClassWeights: Equatable, Sendable {
    /// All 1.
    case none
    /// N/(C·n): of N training images n show the class, and C classes are shown by any. Together all
    /// classes then have as much to say as without weights, and each as much as any other.
    case auto
    /// Weights by the class's name; 1 where a class is not named.
    case named([String: Double])

    /// The forms in which they are given.
    static let forms = ["none", "auto", "{name: number}"]

    /// What is wrong with the numbers; nil: nothing.
    var problem: SettingProblem? {
        guard case .named(let weights) = self else { return nil }
        for (name, weight) in weights.sorted(by: { $0.key < $1.key })
        where !(0...1e6).contains(weight) {
            return SettingProblem(
                "classWeights.\(name)", "is \(weight): give at least 0 and at most 1000000")
        }
        return nil
    }

    /// The weights of the logits' classes, in single precision as checkpoints hold them; empty where
    /// all are 1.
    ///
    /// - Parameters:
    ///   - names: Of the classes, in the order of the logits: a class is meant by its name, or by
    ///     its words where no other has the same.
    ///   - counts: Training images of each; nil where nobody knows.
    /// - Returns: The weights, or what is wrong with the setting.
    public func values(
        names: [(name: String, words: String)], counts: [Int]?
    ) -> Result<[Double], Unfit> {
        switch self {
        case .none: return .success([])
        case .auto:
            guard let counts else { return .failure(.uncounted) }
            let shown = counts.filter { $0 > 0 }
            let mean = Double(shown.reduce(0, +)) / Double(max(1, shown.count))
            return .success(counts.map { $0 > 0 ? Double(Float(mean / Double($0))) : 1 })
        case .named(let weights):
            var values = [Double](repeating: 1, count: names.count)
            for (name, weight) in weights.sorted(by: { $0.key < $1.key }) {
                let called = names.indices.filter { names[$0].words == name }
                guard
                    let place = names.firstIndex(where: { $0.name == name })
                        ?? (called.count == 1 ? called.first : nil)
                else { return .failure(.unknown(name)) }
                values[place] = Double(Float(weight))
            }
            return values.contains { $0 > 0 } ? .success(values) : .failure(.allZero)
        }
    }

    /// Why weights do not fit the classes.
    public enum Unfit: Error, Equatable {
        /// No class has this name.
        case unknown(String)
        /// No class has a weight.
        case allZero
        /// How many images show each class is not known.
        case uncounted
    }
}

extension ClassWeights: Codable {
    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    public init(from decoder: any Decoder) throws {
        let word: String
        do {
            word = try decoder.singleValueContainer().decode(String.self)
        } catch {
            let container = try decoder.container(keyedBy: Name.self)
            self = .named(
                Dictionary(
                    uniqueKeysWithValues: try container.allKeys.map {
                        ($0.stringValue, try container.decode(Double.self, forKey: $0))
                    }))
            return
        }
        self = word == "auto" ? .auto : .none
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .none, .auto:
            var container = encoder.singleValueContainer()
            try container.encode(self == .auto ? "auto" : "none")
        case .named(let weights):
            var container = encoder.container(keyedBy: Name.self)
            for (name, weight) in weights.sorted(by: { $0.key < $1.key }) {
                try container.encode(weight, forKey: Name(stringValue: name))
            }
        }
    }
}
