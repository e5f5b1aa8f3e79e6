import Foundation
import Tensors

/// Makes a decoded image the numbers that the model sees (Method: Data).
public struct Preparation: Sendable {
    /// The mean of ImageNet's red, green and blue values, on the scale [0, 1].
    public static let mean = PixelScale.standard.mean.map { Float($0) }
    /// The standard deviation of these values.
    public static let deviation = PixelScale.standard.deviation.map { Float($0) }

    let configuration: DataConfiguration
    let framing: Framing

    /// Prepares images as `configuration` says.
    public init(_ configuration: DataConfiguration, framing: Framing = .crop) {
        (self.configuration, self.framing) = (configuration, framing)
    }

    /// The central size/(size + margin) of the shorter side, as a square.
    public func centralBox(height: Int, width: Int) -> Resize.Box {
        let size = Double(configuration.cropSize)
        let part = size / (size + Double(configuration.centralCropMargin))
        let side = max(1, (Double(min(height, width)) * part).rounded())
        return Resize.Box(
            x: ((Double(width) - side) / 2).rounded(.down),
            y: ((Double(height) - side) / 2).rounded(.down), width: side, height: side)
    }

    /// Writes what the model sees of an image, `[size, size, 3]`, to `result` from `start` on; says
    /// which part of the image that is.
    ///
    /// - Parameter random: The image's numbers of this epoch, or nil in evaluation.
    @discardableResult public func prepare(
        _ pixels: Pixels, random: CounterRandom? = nil, into result: inout [Float], at start: Int
    ) -> ImageCrop {
        let size = configuration.imageSize
        let (crop, colors) = variation(
            height: pixels.height, width: pixels.width, random: random)
        switch configuration.resize {
        case .antialias:
            let square = Resize.bicubic(pixels, box: crop.box, size: size)
            write(square.bytes, colors, into: &result, at: start)
        case .legacy:
            let square = LegacyResize.bicubic(pixels, box: crop.box, size: size)
            write(square, colors, into: &result, at: start)
        }
        mirror(&result, at: start, size: size, as: crop)
        return crop
    }

    /// The reverse of `standardize`: values on the scale [0, 1].
    public static func unstandardized(_ values: [Float]) -> [Float] {
        values.enumerated().map { index, value in
            min(1, max(0, value * deviation[index % 3] + mean[index % 3]))
        }
    }

    /// What scales values of 0…255 to [0, 1], subtracts the mean and divides by the deviation.
    private static let change = (
        scale: SIMD3(deviation.map { 1 / (255 * $0) }),
        shift: SIMD3(zip(mean, deviation).map { -$0 / $1 })
    )

    /// Standardises bytes.
    static func standardize(_ values: [UInt8], into result: inout [Float], at start: Int) {
        PixelKernels.scale(
            values, by: change.scale, plus: change.shift, into: &result, at: start)
    }

    /// Standardises numbers of which `unit` brings 1 to the scale of bytes.
    static func standardize(
        _ values: [Float], unit: Float, into result: inout [Float], at start: Int
    ) {
        PixelKernels.scale(
            values, unit: unit, by: change.scale, plus: change.shift, into: &result, at: start)
    }
}
