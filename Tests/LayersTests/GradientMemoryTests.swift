import Foundation
import Tensors
import Testing

@testable import Layers

/// Gradients take memory where they are written, and nowhere else.
@Suite struct GradientMemoryTests {
    /// Pages of a stretch of memory that the system has given.
    private static func residentPages(_ start: UnsafeMutablePointer<Float>, count: Int) -> Int {
        let page = sysconf(Int32(_SC_PAGESIZE))
        let first = (Int(bitPattern: start) + page - 1) / page * page
        let pages = (Int(bitPattern: start + count) - first) / page
        var isResident = [UInt8](repeating: 0, count: pages)
        guard mincore(UnsafeMutableRawPointer(bitPattern: first), pages * page, &isResident) == 0
        else { return -1 }
        return isResident.filter { $0 & 1 == 1 }.count
    }

    @Test func untouchedGradientsTakeNone() {
        var layout = ParameterLayout()
        let count = 8 << 20
        let frozen = layout.parameter(
            "frozen", shape: [count], decays: true, initial: .constant(1))
        let trained = layout.parameter(
            "trained", shape: [count], decays: true, initial: .constant(1))
        let store = ParameterStore(layout: layout, seed: 1)
        func pages(_ parameter: Parameter) -> Int {
            Self.residentPages(store.gradient(parameter), count: count)
        }
        #expect(pages(frozen) == 0 && pages(trained) == 0)
        store.gradient(trained).update(repeating: 2, count: count)
        // The border may lie within a large page.
        #expect(pages(frozen) <= 512)
        #expect(pages(trained) * sysconf(Int32(_SC_PAGESIZE)) >= count * 4 - (1 << 20))
        #expect(store.gradient(frozen)[count / 2] == 0 && store.gradient(trained)[5] == 2)
    }
}
