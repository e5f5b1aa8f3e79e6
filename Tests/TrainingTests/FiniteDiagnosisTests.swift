import SaccaderModel
import Testing

@testable import Training

@Suite struct FiniteDiagnosisTests {
    @Test func theImagesOfTheFirstArrayThatIsNotFinite() {
        let arrays = [
            TracedArray("labels", [3], .integers([1, 2, 3])),
            TracedArray("scalar", [1], .floats([.nan])),
            TracedArray("fine", [3, 2], .floats([1, 2, 3, 4, 5, 6])),
            TracedArray("bad", [3, 2], .floats([1, 2, 3, .infinity, 5, 6])),
            TracedArray("worse", [3, 2], .floats([.nan, 2, 3, .infinity, 5, .nan])),
        ]
        #expect(FiniteDiagnosis.notFinite(arrays, imageCount: 3) == [1])
        #expect(FiniteDiagnosis.notFinite(Array(arrays.prefix(3)), imageCount: 3) == [0, 1, 2])
    }
}
