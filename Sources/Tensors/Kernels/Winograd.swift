/// The transforms of Winograd's minimal filtering F(2×2, 3×3): sixteen products per input and
/// output channel make four outputs of a 3×3 convolution, which taken directly need thirty-six.
///
/// With `Y` a tile of 2×2 outputs, `d` the 4×4 pixels that it reads and `g` the kernel,
/// `Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A` (Lavin and Gray, 2016, section 4.1). All factors are 1, −1 and ½.
/// The sixteen places of a transformed tile lie `plane` elements apart, row by row.
public enum Winograd {
    /// Places of a transformed tile.
    public static let places = 16
    /// Outputs along each side of a tile.
    public static let tile = 2
    /// Pixels along each side of what a tile reads.
    public static let span = 4

    /// The distance between planes of `count` elements: a cache line more, so that the sixteen do
    /// not fall into the same sets of the cache.
    public static func plane<Element: StorageElement>(_ count: Int, of type: Element.Type) -> Int {
        count + 64 / MemoryLayout<Element>.stride
    }

    /// `Bᵀ d B` of a tile's pixels, `channels` at each.
    ///
    /// - Parameter pixels: Where the sixteen pixels lie, row by row.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func transformPixels<Element: StorageElement>(
        _ pixels: UnsafePointer<UnsafeMutablePointer<Element>>, channels: Int,
        into result: UnsafeMutablePointer<Element>, plane: Int
    ) {
        var channel = 0
        while channel < channels {
            @inline(__always)
            func load(_ row: Int, _ column: Int) -> SIMD16<Float> {
                Element.loadBlock(pixels[4 * row + column] + channel)
            }
            @inline(__always)
            func row(_ place: Int, _ value: (Int) -> SIMD16<Float>) {
                let target = result + 4 * place * plane + channel
                let (first, second, third) = (value(0), value(1), value(2))
                Element.storeBlock(first - third, to: target)
                Element.storeBlock(second + third, to: target + plane)
                Element.storeBlock(third - second, to: target + 2 * plane)
                Element.storeBlock(second - value(3), to: target + 3 * plane)
            }
            row(0) { load(0, $0) - load(2, $0) }
            row(1) { load(1, $0) + load(2, $0) }
            row(2) { load(2, $0) - load(1, $0) }
            row(3) { load(1, $0) - load(3, $0) }
            channel += 16
        }
    }

    /// `Aᵀ M A`: a tile's outputs of its sixteen products.
    ///
    /// - Parameter outputs: Where the four outputs lie, row by row.
    public static func outputs(
        ofProducts products: UnsafePointer<Float>, plane: Int, channels: Int,
        into outputs: UnsafePointer<UnsafeMutablePointer<Float>>
    ) {
        var channel = 0
        while channel < channels {
            @inline(__always)
            func load(_ row: Int, _ column: Int) -> SIMD16<Float> {
                Float.loadBlock(products + (4 * row + column) * plane + channel)
            }
            @inline(__always)
            func row(_ index: Int, _ value: (Int) -> SIMD16<Float>) {
                let (second, third) = (value(1), value(2))
                Float.storeBlock(
                    value(0) + second + third, to: outputs[2 * index] + channel)
                Float.storeBlock(
                    second - third - value(3), to: outputs[2 * index + 1] + channel)
            }
            row(0) { load(0, $0) + load(1, $0) + load(2, $0) }
            row(1) { load(1, $0) - load(2, $0) - load(3, $0) }
            channel += 16
        }
    }

    /// `A dY Aᵀ`: the gradients of the products, of those of a tile's outputs.
    ///
    /// - Parameter gradients: Where the four gradients lie, row by row.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func transformGradients<Element: StorageElement>(
        _ gradients: UnsafePointer<UnsafeMutablePointer<Element>>, channels: Int,
        into result: UnsafeMutablePointer<Element>, plane: Int
    ) {
        var channel = 0
        while channel < channels {
            @inline(__always)
            func row(_ place: Int, _ left: SIMD16<Float>, _ right: SIMD16<Float>) {
                let target = result + 4 * place * plane + channel
                Element.storeBlock(left, to: target)
                Element.storeBlock(left + right, to: target + plane)
                Element.storeBlock(left - right, to: target + 2 * plane)
                Element.storeBlock(-right, to: target + 3 * plane)
            }
            let upperLeft = Element.loadBlock(gradients[0] + channel)
            let upperRight = Element.loadBlock(gradients[1] + channel)
            let lowerLeft = Element.loadBlock(gradients[2] + channel)
            let lowerRight = Element.loadBlock(gradients[3] + channel)
            row(0, upperLeft, upperRight)
            row(1, upperLeft + lowerLeft, upperRight + lowerRight)
            row(2, upperLeft - lowerLeft, upperRight - lowerRight)
            row(3, -lowerLeft, -lowerRight)
            channel += 16
        }
    }

    /// Adds `B dV Bᵀ` to the gradients of a tile's pixels.
    ///
    /// - Parameter pixels: Where the sixteen gradients lie, row by row.
    public static func addPixelGradients(
        ofProducts products: UnsafePointer<Float>, plane: Int, channels: Int,
        to pixels: UnsafePointer<UnsafeMutablePointer<Float>>
    ) {
        var channel = 0
        while channel < channels {
            @inline(__always)
            func load(_ row: Int, _ column: Int) -> SIMD16<Float> {
                Float.loadBlock(products + (4 * row + column) * plane + channel)
            }
            @inline(__always)
            func row(_ index: Int, _ value: (Int) -> SIMD16<Float>) {
                @inline(__always)
                func add(_ value: SIMD16<Float>, _ column: Int) {
                    let target = pixels[4 * index + column] + channel
                    Float.storeBlock(Float.loadBlock(target) + value, to: target)
                }
                let (first, second, third) = (value(0), value(1), value(2))
                let fourth = value(3)
                add(first, 0)
                add(second - third + fourth, 1)
                add(second + third - first, 2)
                add(-fourth, 3)
            }
            row(0) { load(0, $0) }
            row(1) { load(1, $0) - load(2, $0) + load(3, $0) }
            row(2) { load(1, $0) + load(2, $0) - load(0, $0) }
            row(3) { -load(3, $0) }
            channel += 16
        }
    }

    /// One of the four rows of `G g Gᵀ`, for each of `count` pairs of channels.
    ///
    /// - Parameters:
    ///   - kernel: `[3, 3, count]`.
    ///   - result: `[4, count]`.
    public static func transformKernel(
        _ kernel: UnsafePointer<Float>, count: Int, row: Int,
        into result: UnsafeMutablePointer<Float>
    ) {
        let half = SIMD16<Float>(repeating: 0.5)
        var index = 0
        while index < count {
            @inline(__always)
            func load(_ tap: Int, _ column: Int) -> SIMD16<Float> {
                Float.loadBlock(kernel + (3 * tap + column) * count + index)
            }
            @inline(__always)
            func value(_ column: Int) -> SIMD16<Float> {
                switch row {
                case 0: load(0, column)
                case 1: half * (load(0, column) + load(1, column) + load(2, column))
                case 2: half * (load(0, column) - load(1, column) + load(2, column))
                default: load(2, column)
                }
            }
            let (first, second, third) = (value(0), value(1), value(2))
            Float.storeBlock(first, to: result + index)
            Float.storeBlock(half * (first + second + third), to: result + count + index)
            Float.storeBlock(half * (first - second + third), to: result + 2 * count + index)
            Float.storeBlock(third, to: result + 3 * count + index)
            index += 16
        }
    }

    /// `Gᵀ dU G`: the kernel's gradient, `[3, 3, count]`, of that of the transformed kernel.
    public static func kernelGradient(
        ofTransformed gradient: UnsafePointer<Float>, plane: Int, count: Int,
        into result: UnsafeMutablePointer<Float>
    ) {
        let half = SIMD16<Float>(repeating: 0.5)
        var index = 0
        while index < count {
            @inline(__always)
            func load(_ row: Int, _ column: Int) -> SIMD16<Float> {
                Float.loadBlock(gradient + (4 * row + column) * plane + index)
            }
            @inline(__always)
            func row(_ tap: Int, _ value: (Int) -> SIMD16<Float>) {
                let target = result + 3 * tap * count + index
                let (second, third) = (value(1), value(2))
                let sum = half * (second + third)
                Float.storeBlock(value(0) + sum, to: target)
                Float.storeBlock(half * (second - third), to: target + count)
                Float.storeBlock(sum + value(3), to: target + 2 * count)
            }
            row(0) { load(0, $0) + half * (load(1, $0) + load(2, $0)) }
            row(1) { half * (load(1, $0) - load(2, $0)) }
            row(2) { half * (load(1, $0) + load(2, $0)) + load(3, $0) }
            index += 16
        }
    }
}
