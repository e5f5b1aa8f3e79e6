/// The classes that a prediction may be: all, or with `--restrict-classes` those present in the data.
struct ComparedClasses: Sendable {
    /// Whether each logit takes part; nil: all do.
    private let takesPart: [Bool]?

    /// All classes.
    static let all = ComparedClasses(takesPart: nil)

    private init(takesPart: [Bool]?) { self.takesPart = takesPart }

    /// The classes of some labels, out of `count`.
    init(_ labels: Set<Int>, of count: Int) {
        takesPart = (0..<count).map { labels.contains($0) }
    }

    /// How many take part, out of `count`.
    func number(of count: Int) -> Int { takesPart?.count { $0 } ?? count }

    /// The logits `[c]`; those that take no part are below any other.
    func callAsFunction(_ logits: [Float]) -> [Float] {
        guard let takesPart else { return logits }
        return zip(logits, takesPart).map { $1 ? $0 : -.infinity }
    }
}
