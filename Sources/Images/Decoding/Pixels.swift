/// An image in memory: 8-bit RGB, row by row.
public struct Pixels: Equatable, Sendable {
    /// More than this are taken for an attack or damage, not a photograph: at most 256 MiB while
    /// decoding. ImageNet's largest image has 61 million.
    static let largestCount = 1 << 26

    /// The height, in pixels.
    public let height: Int
    /// The width, in pixels.
    public let width: Int
    /// `[height, width, 3]`.
    public var bytes: [UInt8]

    /// Takes bytes `[height, width, 3]`.
    public init(height: Int, width: Int, bytes: [UInt8]) {
        precondition(bytes.count == height * width * 3, "\(bytes.count) bytes")
        (self.height, self.width, self.bytes) = (height, width, bytes)
    }

    /// Refuses sizes that no photograph has.
    static func requireFit(height: Int, width: Int, path: String) throws(ImagesError) {
        let (count, isOverflow) = height.multipliedReportingOverflow(by: width)
        guard height > 0, width > 0, !isOverflow, count <= largestCount else {
            throw .unreadable(
                path: path, reason: "\(width)×\(height) pixels, not 1 to \(largestCount)")
        }
    }
}
