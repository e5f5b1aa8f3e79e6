import Foundation
import Tensors

/// From a decoded image to the numbers that the model sees (Method: Data).
public struct Preparation: Sendable {
    /// The mean of ImageNet's red, green and blue values, on the scale [0, 1].
    public static let mean: [Float] = [0.485, 0.456, 0.406]
    /// Their standard deviation.
    public static let deviation: [Float] = [0.229, 0.224, 0.225]

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
            write(square.bytes, colors, into: &result, at: start) { Float($0) }
        case .legacy:
            let square = LegacyResize.bicubic(pixels, box: crop.box, size: size)
            write(square, colors, into: &result, at: start) { $0 }
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

    /// Scales values of 0…255 to [0, 1], subtracts the mean and divides by the deviation; channels
    /// are innermost.
    static func standardize<Value>(
        _ values: [Value], into result: inout [Float], at start: Int, number: (Value) -> Float
    ) {
        precondition(start >= 0 && start + values.count <= result.count, "\(start)")
        let scale = deviation.map { 1 / (255 * $0) }
        let shift = zip(mean, deviation).map { -$0 / $1 }
        for channel in 0..<3 {
            let (factor, term) = (scale[channel], shift[channel])
            for index in stride(from: channel, to: values.count, by: 3) {
                result[start + index] = number(values[index]) * factor + term
            }
        }
    }
}
