import SaccaderModel

/// The part of an image that glimpses see.
enum Coverage {
    /// After 1, 2, … T glimpses: pixels in the union of the windows.
    static func pixels(_ locations: [Int], geometry: Geometry, imageSize: Int) -> [Int] {
        var isSeen = [Bool](repeating: false, count: imageSize * imageSize)
        var count = 0
        return locations.map { place in
            let top = place / geometry.gridSize * geometry.stride
            let left = place % geometry.gridSize * geometry.stride
            for y in top..<min(imageSize, top + geometry.receptiveField) {
                for x in left..<min(imageSize, left + geometry.receptiveField)
                where !isSeen[y * imageSize + x] {
                    isSeen[y * imageSize + x] = true
                    count += 1
                }
            }
            return count
        }
    }
}
