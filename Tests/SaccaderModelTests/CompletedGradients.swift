import Layers
import Synchronization
import Tensors
import Testing

@testable import SaccaderModel

/// Keeps what each part of the gradients was when a pass called it complete.
final class CompletedGradients: SumReducer {
    private let store: ParameterStore
    private let parts = Mutex<[(range: Range<Int>, values: [Float])]>([])

    init(_ store: ParameterStore) { self.store = store }

    func sum(_ values: UnsafeMutableBufferPointer<Double>) {}

    func complete(_ gradients: Range<Int>) {
        let values = Array(store.allGradients[gradients])
        parts.withLock { $0.append((gradients, values)) }
    }

    /// Each trained parameter was complete once, and nothing was written to it afterwards.
    func check(trained isTrained: (String) -> Bool) {
        let parts = parts.withLock { $0 }
        let trained = store.layout.parameters.filter { isTrained($0.path) }
        #expect(trained.count >= 3)
        let expected = trained.map { store.range($0) }.sorted { $0.lowerBound < $1.lowerBound }
        let found = parts.map(\.range).sorted { $0.lowerBound < $1.lowerBound }
        #expect(found == expected)
        for part in parts {
            #expect(part.values == Array(store.allGradients[part.range]), "\(part.range)")
        }
    }
}
