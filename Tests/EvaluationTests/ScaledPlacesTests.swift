import Models
import Testing

@testable import Evaluation

/// Near a known place is more pixels in a larger image.
@Test(arguments: [(32, [0, 1, 1]), (64, [0, 1, 1]), (128, [0, 1, 2])])
func nearGrowsWithTheImage(imageSize: Int, hits: [Int]) {
    // Central pixels 13, 6 and 12 from the place.
    let windows = [(0, 3), (7, 10), (1, 22)].map { row, column in
        Window(rows: row..<(row + 1), columns: column..<(column + 1))
    }
    let sequence = GlimpseSequence(
        windows: windows, places: [0, 1, 2], predictions: [[Float]](repeating: [1, 0], count: 3))
    let found = ScoredSequence(sequence, label: 0, imageSize: imageSize, known: [(13, 10)])
    #expect(found.hits == hits)
}
