import Tensors

extension Preparation {
    /// The sides of what a batch holds of each image, in pixels; the second is 0 where the first
    /// serves both purposes.
    var sizes: (image: Int, patchImage: Int) {
        let (small, large) = (configuration.imageSize, configuration.patchImageSize)
        return (small, large == small ? 0 : large)
    }

    /// Writes an image in both sizes, of one crop, flip and change of colours: the larger one from the file, the
    /// smaller one scaled down from that by the antialiased bicubic resampling.
    ///
    /// - Parameters:
    ///   - index: The image's place in both results.
    ///   - result: `[N, H, H, 3]`.
    ///   - patchResult: `[N, S, S, 3]`; empty where there is one size.
    func prepare(
        _ pixels: Pixels, random: CounterRandom?, index: Int, into result: inout [Float],
        patches patchResult: inout [Float]
    ) -> ImageCrop {
        let (small, large) = sizes
        let start = index * small * small * 3
        guard large > 0 else { return prepare(pixels, random: random, into: &result, at: start) }
        let (crop, colors) = variation(
            height: pixels.height, width: pixels.width, random: random)
        let patchStart = index * large * large * 3
        let square: Pixels
        switch configuration.resize {
        case .antialias:
            square = Resize.bicubic(pixels, box: crop.box, size: large)
            write(square.bytes, colors, into: &patchResult, at: patchStart)
        case .legacy:
            let values = LegacyResize.bicubic(pixels, box: crop.box, size: large)
            write(values, colors, into: &patchResult, at: patchStart)
            square = Pixels(
                height: large, width: large,
                bytes: values.map { UInt8(min(255, max(0, $0)).rounded()) })
        }
        let whole = Resize.Box(x: 0, y: 0, width: Double(large), height: Double(large))
        let scaled = Resize.bicubic(square, box: whole, size: small)
        write(scaled.bytes, colors, into: &result, at: start)
        mirror(&patchResult, at: patchStart, size: large, as: crop)
        mirror(&result, at: start, size: small, as: crop)
        return crop
    }
}
