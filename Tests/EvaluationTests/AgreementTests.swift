import Testing

@testable import Evaluation
@testable import Terminal

/// What the ranks of an evaluation have read is one thing, or nothing is counted.
@Suite struct AgreementTests {
    /// The first of several ranks, the others of which have read `others`.
    private func outcome(_ own: String, _ others: [String]) throws -> Bool {
        // What each rank gives to the sum, from a share that takes it down.
        func given(_ text: String) throws -> [Int] {
            struct Taken: Error { let values: [Int] }
            let share = RankShare(rank: 0, count: 2) { throw Taken(values: $0) }
            do {
                try share.requireSame(text, of: "x")
            } catch let taken as Taken {
                return taken.values
            }
            return []
        }
        let all = try others.map(given)
        let share = RankShare(rank: 0, count: 1 + others.count) { own in
            all.reduce(own) { zip($0, $1).map { $0 + $1 } }
        }
        do {
            try share.requireSame(own, of: "last.h5")
            return true
        } catch let error as RequestError {
            #expect("\(error)".hasPrefix("last.h5: the ranks have read different versions"))
            return false
        }
    }

    @Test func differentVersionsAreRefused() throws {
        #expect(try outcome("a", ["a", "a", "a"]))
        #expect(try outcome("a", []))
        for others in [["b"], ["a", "b"], ["b", "b", "b"], ["b", "c", "a"]] {
            #expect(try !outcome("a", others), "\(others)")
        }
    }
}
