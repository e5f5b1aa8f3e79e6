/// The shape of activations, `[N, H, W, C]`, channels fastest.
public struct Shape: Equatable, Sendable, CustomStringConvertible {
    /// N, the number of images.
    public let images: Int
    /// H, in pixels or locations.
    public let height: Int
    /// W, in pixels or locations.
    public let width: Int
    /// C, the numbers at each location.
    public let channels: Int

    /// Creates `[images, height, width, channels]`.
    public init(_ images: Int, _ height: Int, _ width: Int, _ channels: Int) {
        (self.images, self.height, self.width, self.channels) = (images, height, width, channels)
    }

    /// H·W, the locations of one image.
    public var locations: Int { height * width }
    /// N·H·W, the rows of the matrix `[rows, C]` that the activations are.
    public var rows: Int { images * height * width }
    /// N·H·W·C.
    public var count: Int { rows * channels }
    /// For example `[4, 19, 19, 512]`.
    public var description: String { "[\(images), \(height), \(width), \(channels)]" }
}

/// A shape and a place in an arena; copying it shares the memory.
///
/// The shape's image count is a capacity: a short batch uses the first images.
public struct Tensor<Element: BitwiseCopyable>: @unchecked Sendable {
    /// The planned shape.
    public let shape: Shape
    private let arena: Arena
    private let region: Arena.Region

    /// Reserves a place for `shape` in `arena`.
    public init(_ shape: Shape, in arena: Arena) {
        self.shape = shape
        self.arena = arena
        region = arena.reserve(byteCount: shape.count * MemoryLayout<Element>.stride)
    }

    /// Reserves a vector of `count` elements.
    public init(vector count: Int, in arena: Arena) {
        self.init(Shape(1, 1, 1, count), in: arena)
    }

    /// The same place with another shape of as many elements.
    public func reshaped(_ shape: Shape) -> Tensor {
        Contract.require(
            shape.count == self.shape.count, "a tensor is reshaped to as many elements")
        return Tensor(shape, arena: arena, region: region)
    }

    private init(_ shape: Shape, arena: Arena, region: Arena.Region) {
        (self.shape, self.arena, self.region) = (shape, arena, region)
    }

    /// Gives the place back to the plan: later reservations may overlap it.
    public func release() { arena.release(region) }

    /// The first element; valid once the arena is committed, as long as this tensor lives.
    public var pointer: UnsafeMutablePointer<Element> {
        arena.pointer(to: region, as: Element.self)
    }

    /// The elements of one row of the matrix `[rows, C]`.
    public func row(_ index: Int) -> UnsafeMutablePointer<Element> {
        pointer + index * shape.channels
    }

    /// A copy of the first `count` elements, for tests and traces.
    public func elements(_ count: Int? = nil) -> [Element] {
        Array(UnsafeBufferPointer(start: pointer, count: count ?? shape.count))
    }
}
