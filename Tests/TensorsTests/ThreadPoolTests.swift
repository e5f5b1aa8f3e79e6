import Synchronization
import Testing

@testable import Tensors

struct ThreadPoolTests {
    @Test(arguments: [1, 2, 5]) func everyPieceIsDoneOnce(threads: Int) {
        let pool = ThreadPool(threadCount: threads)
        for count in [0, 1, 2, 7, 1000] {
            let sum = Mutex(0)
            pool.run(count) { piece, worker in
                sum.withLock { $0 += piece + (worker < threads ? 0 : 1_000_000) }
            }
            #expect(sum.withLock { $0 } == count * (count - 1) / 2)
        }
    }

    /// Two works at once would share scratch memory: wrong numbers, without a word.
    @Test func aPoolThatWorksTakesNoOtherWork() async {
        let result = await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let pool = ThreadPool(threadCount: 2)
            pool.run(2) { _, _ in pool.run(2) { _, _ in } }
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("one thing at a time"), "\(text)")
    }
}
