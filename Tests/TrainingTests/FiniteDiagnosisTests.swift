import Models
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

    @Test func noRankIsBlamedForASumThatAloneIsTooLarge() {
        #expect(FiniteDiagnosis.firstRank([7, 3, 5], upTo: 6) == 1)
        #expect(FiniteDiagnosis.firstRank([3, 2, 2], upTo: 2) == 1)
        #expect(FiniteDiagnosis.firstRank([3, 3, 3], upTo: 2) == nil)
        let error = TrainingError.notFinite(
            stage: "joint", step: 4, what: "the loss", rank: nil, images: [])
        #expect(error.rank == nil)
        #expect(
            error.description.hasPrefix(
                "stage joint, step 4: the loss is not finite, though what each rank adds to it is: "
            ))
    }
}
