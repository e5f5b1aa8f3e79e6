/// The part of an image that glimpses see.
public enum Coverage {
    /// After 1, 2, … T glimpses: pixels of an image in the union of the windows.
    public static func pixels(_ windows: [Window], imageSize: Int) -> [Int] {
        var isSeen = [Bool](repeating: false, count: imageSize * imageSize)
        var count = 0
        return windows.map { window in
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

extension GlimpseSequence {
    /// After 1, 2, … T glimpses: pixels of an image that were seen.
    public func coveredPixels(imageSize: Int) -> [Int] {
        pixelsOfEachGlimpse.map { pixels in windows.map { _ in pixels } }
            ?? Coverage.pixels(windows, imageSize: imageSize)
    }
}
