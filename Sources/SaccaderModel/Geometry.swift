import Models

/// What part of the image a location sees; computed from the dimensions, never assumed.
public struct Geometry: Equatable, Sendable {
    /// The side of the square that a location sees, in pixels (77 for BagNet-77).
    public let receptiveField: Int
    /// The distance of neighbouring locations, in pixels: location (i, j) sees the pixels
    /// [stride·i, stride·i + receptiveField) × [stride·j, stride·j + receptiveField).
    public let stride: Int
    /// h and w, the locations along a side of the image; 0 where the image is too small.
    public let gridSize: Int

    /// Follows the convolutions of `configuration` on images of `imageSize`² pixels.
    public init(_ configuration: RepresentationConfiguration, imageSize: Int) {
        var (field, jump, size) = (3, 1, imageSize - 2)
        for (group, blockCount) in configuration.blocks.enumerated() {
            for block in 0..<blockCount {
                let kernel = block < configuration.kernel3[group] ? 3 : 1
                field += (kernel - 1) * jump
                let stride = block == 0 ? configuration.strides[group] : 1
                size = size < kernel ? 0 : (size - kernel) / stride + 1
                // Beyond any image: the product of many strides would leave the integers.
                jump = min(jump * stride, 1 << 40)
            }
        }
        (receptiveField, stride, gridSize) = (field, jump, max(0, size))
    }

    /// h·w.
    public var locationCount: Int { gridSize * gridSize }

    /// The pixels that a location sees.
    public func window(of location: Int) -> Window {
        let (top, left) = (location / gridSize * stride, location % gridSize * stride)
        return Window(
            rows: top..<(top + receptiveField), columns: left..<(left + receptiveField))
    }
}
