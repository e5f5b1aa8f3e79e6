import SaccaderModel

/// The part of an image that glimpses see.
enum Coverage {
    /// After 1, 2, … T glimpses: pixels in the union of the windows.
    static func pixels(_ locations: [Int], geometry: Geometry, imageSize: Int) -> [Int] {
        var isSeen = [Bool](repeating: false, count: imageSize * imageSize)
        var count = 0
        return locations.map { place in
            let window = geometry.window(of: place)
            for y in window.rows.clamped(to: 0..<imageSize) {
                for x in window.columns.clamped(to: 0..<imageSize)
                where !isSeen[y * imageSize + x] {
                    isSeen[y * imageSize + x] = true
                    count += 1
                }
            }
            return count
        }
    }
}
