import Testing

@testable import Tensors

/// The known answers that Random123 ships (kat_vectors, philox4x32, 10 rounds).
@Test func philoxGivesItsKnownAnswers() {
    #expect(
        CounterRandom.philox(counter: .zero, key: .zero)
            == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    let ones = UInt32.max
    #expect(
        CounterRandom.philox(counter: SIMD4(repeating: ones), key: SIMD2(ones, ones))
            == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
}

@Test func differentKeysGiveDifferentNumbers() {
    var seen = Set<UInt64>()
    for purpose in [CounterRandom.Purpose.order, .glimpses] {
        for stream in UInt64(0)..<3 {
            for index in UInt64(0)..<3 {
                var random = CounterRandom(
                    seed: 7, purpose: purpose, stream: stream, index: index)
                for _ in 0..<5 { seen.insert(random.next()) }
            }
        }
    }
    #expect(seen.count == 90)
}

@Test func uniformNumbersFillTheUnitInterval() {
    var random = CounterRandom(seed: 1, purpose: .order)
    let numbers = (0..<4000).map { _ in random.uniform() }
    #expect(numbers.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(abs(numbers.reduce(0, +) / 4000 - 0.5) < 0.02)
}

/// Written down once, when they were also those of the standard library (Swift 6.3).
@Test func choicesAndOrdersStayAsTheyWere() {
    var random = CounterRandom(seed: 1, purpose: .randomPolicy, stream: 2, index: 3)
    let order = random.order(of: 361, most: 8)
    #expect(order == [180, 330, 87, 356, 203, 250, 78, 51])
    random = CounterRandom(seed: 1, purpose: .randomPolicy, stream: 2, index: 3)
    let digits = (0..<6).map { _ in random.below(10) }
    #expect(digits == [4, 9, 2, 9, 5, 6])
    let large = random.below(1 << 62)
    let few = random.order(of: 3, most: 8)
    #expect(large == 944_762_404_317_220_529 && few == [0, 2, 1])
}
