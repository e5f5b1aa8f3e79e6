import Foundation
import Tensors

/// How training images are varied.
extension Preparation {
    /// Draws the part of an image that `RandomResizedCrop` of torchvision would: of a random part of
    /// the area and a random aspect, the logarithm of which is uniform.
    ///
    /// - Parameter uniform: The next number in [0, 1).
    func randomBox(height: Int, width: Int, uniform: () -> Double) -> Resize.Box {
        let (parts, aspects) = (configuration.crop.area, configuration.crop.aspect)
        let area = Double(height * width)
        for _ in 0..<10 {
            let target = area * (parts[0] + (parts[1] - parts[0]) * uniform())
            let aspect = exp(
                log(aspects[0]) + (log(aspects[1]) - log(aspects[0])) * uniform())
            let boxWidth = (target * aspect).squareRoot().rounded()
            let boxHeight = (target / aspect).squareRoot().rounded()
            guard boxWidth >= 1, boxHeight >= 1, boxWidth <= Double(width),
                boxHeight <= Double(height)
            else { continue }
            return Resize.Box(
                x: (uniform() * (Double(width) - boxWidth + 1)).rounded(.down),
                y: (uniform() * (Double(height) - boxHeight + 1)).rounded(.down),
                width: boxWidth, height: boxHeight)
        }
        return fallbackBox(height: height, width: width)
    }

    /// What an image shows that ten random parts did not fit into.
    ///
    /// Differs from torchvision with the default crop, where it is the central square as in
    /// evaluation: so runs of before these settings keep their bits.
    private func fallbackBox(height: Int, width: Int) -> Resize.Box {
        if configuration.crop == CropConfiguration() {
            return centralBox(height: height, width: width)
        }
        // The largest central part whose aspect is allowed.
        let (least, most) = (configuration.crop.aspect[0], configuration.crop.aspect[1])
        let aspect = Double(width) / Double(height)
        let boxHeight =
            aspect < least
            ? min(height, Int((Double(width) / least).rounded(.toNearestOrEven))) : height
        let boxWidth =
            aspect > most
            ? min(width, Int((Double(height) * most).rounded(.toNearestOrEven))) : width
        return Resize.Box(
            x: Double((width - max(1, boxWidth)) / 2), y: Double((height - max(1, boxHeight)) / 2),
            width: Double(max(1, boxWidth)), height: Double(max(1, boxHeight)))
    }

    /// The part of an image that the model sees.
    ///
    /// - Parameter random: The image's numbers of this epoch, or nil in evaluation.
    func crop(height: Int, width: Int, random: CounterRandom?) -> ImageCrop {
        variation(height: height, width: width, random: random).crop
    }

    /// The part of an image that the model sees, and what is done to its colours; nil: nothing.
    ///
    /// Numbers are drawn in one order, whatever is switched on: so a flip or colours beside a crop
    /// leave the crop as it is without them.
    func variation(
        height: Int, width: Int, random: CounterRandom?
    ) -> (crop: ImageCrop, colors: ColorJitter?) {
        let size = configuration.cropSize
        let central =
            framing == .crop
            ? centralBox(height: height, width: width)
            : Resize.Box(x: 0, y: 0, width: Double(width), height: Double(height))
        guard var random else {
            return (ImageCrop(box: central, isFlipped: false, size: size), nil)
        }
        let crops = configuration.augmentation == .randomArea
        let flipsAcross =
            switch configuration.flip {
            case .auto: crops
            case .horizontal, .both: true
            case .none: false
            }
        let isFlipped = random.uniform() < 0.5
        let box =
            crops
            ? randomBox(height: height, width: width) { random.uniform() } : central
        let isUpsideDown = random.uniform() < 0.5
        let jitter = configuration.colorJitter
        return (
            ImageCrop(
                box: box, isFlipped: flipsAcross && isFlipped,
                isUpsideDown: configuration.flip == .both && isUpsideDown, size: size),
            jitter.isOff ? nil : ColorJitter(jitter, random: &random)
        )
    }

    /// Writes bytes, their colours changed, standardised.
    func write(
        _ values: [UInt8], _ colors: ColorJitter?, into result: inout [Float], at start: Int
    ) {
        guard let colors else { return Self.standardize(values, into: &result, at: start) }
        write(values.map { Float($0) }, colors, into: &result, at: start)
    }

    /// Writes values of 0…255, their colours changed, standardised.
    func write(
        _ values: [Float], _ colors: ColorJitter?, into result: inout [Float], at start: Int
    ) {
        guard let colors else {
            return Self.standardize(values, unit: 1, into: &result, at: start)
        }
        var image = values.map { $0 / 255 }
        colors.apply(to: &image)
        Self.standardize(image, unit: 255, into: &result, at: start)
    }

    /// Mirrors the image at `start`, `[size, size, 3]`, as its crop says.
    func mirror(_ result: inout [Float], at start: Int, size: Int, as crop: ImageCrop) {
        if crop.isFlipped {
            PixelKernels.mirror(&result, at: start, size: size, topToBottom: false)
        }
        if crop.isUpsideDown {
            PixelKernels.mirror(&result, at: start, size: size, topToBottom: true)
        }
    }
}
