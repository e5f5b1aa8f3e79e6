import Testing

@testable import Evaluation
@testable import SaccaderModel

/// Near a known place is more pixels in a larger image.
@Test(arguments: [(0.5, [0, 0, 0]), (0.7, [0, 0, 1]), (1.0, [0, 1, 2]), (2.0, [1, 2, 3])])
func nearGrowsWithTheImage(scale: Double, hits: [Int]) {
    var sizes = RepresentationConfiguration()
    (sizes.blocks, sizes.kernel3, sizes.strides, sizes.planes) = ([1], [1], [2], [4])
    let geometry = Geometry(sizes, imageSize: 9)
    // Central pixels (2, 2), (4, 4) and (6, 6): 8, 6 and 4 from the place.
    let trajectory = Trajectory(
        [0, 4, 8], averages: [[Float]](repeating: [1, 0], count: 3), coveredPixels: [1, 2, 3],
        label: 0, geometry: geometry, known: [(10, 10)], scale: scale)
    #expect(trajectory.hits == hits)
}
