import Foundation
import Testing

@testable import Training

@Suite(.serialized) struct LastWordsTests {
    /// There is no stack left to say it on.
    @Test func anOverflownStackIsTold() async {
        let result = await #expect(
            processExitsWith: .exitCode(TrainingError.rankLostExitCode),
            observing: [\.standardErrorContent]
        ) {
            LastWords.prepare(rank: 3)
            print(Self.depth(1))
        }
        expectWords(result, "rank 3 on", "SIGSEGV", "a stack that is too small")
    }

    @Test func anAbortInALibraryIsTold() async {
        let result = await #expect(
            processExitsWith: .exitCode(TrainingError.rankLostExitCode),
            observing: [\.standardErrorContent]
        ) {
            LastWords.prepare(rank: 1)
            abort()
        }
        expectWords(result, "rank 1 on", "SIGABRT", "run again to go on")
    }

    /// Goes down until the stack ends; what is kept of each level keeps it from becoming a loop.
    private static func depth(_ level: Int) -> Int {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 512) { buffer in
            buffer.initialize(repeating: level)
            return depth(level + 1) + buffer[level % 512]
        }
    }

    private func expectWords(_ result: ExitTest.Result?, _ words: String...) {
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        for word in words { #expect(text.contains(word), "\(text)") }
    }
}
