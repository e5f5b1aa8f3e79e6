import Testing

@testable import Tensors

/// Patches against the definition of a convolution's taps, with and without a margin.
@Suite struct PatchTests {
    private func check<Element: StorageElement & Equatable>(
        _ geometry: PatchGeometry, channels: Int, _: Element.Type
    ) {
        let (height, width) = (9, 8)
        let (outputHeight, outputWidth) = (geometry.outputSize(height), geometry.outputSize(width))
        let rows = 1..<(outputHeight - 1)
        let inputRows = geometry.inputRows(of: rows, inputHeight: height)
        // Every number of the image is another one.
        func pixel(_ y: Int, _ x: Int, _ channel: Int) -> Element {
            guard y >= 0, y < height, x >= 0, x < width else { return Element(narrowing: 0) }
            return Element(narrowing: Float(1 + (y * width + x) * channels + channel) / 8)
        }
        var input: [Element] = []
        for y in inputRows {
            for x in 0..<width {
                for channel in 0..<channels { input.append(pixel(y, x, channel)) }
            }
        }
        let side = geometry.kernel
        let count = rows.count * outputWidth * side * side * channels
        // One more, which stays.
        var patches = [Element](repeating: Element(narrowing: 7), count: count + 1)
        geometry.gather(
            from: input, firstInputRow: inputRows.lowerBound, inputHeight: height,
            inputWidth: width, channels: channels, outputRows: rows, outputWidth: outputWidth,
            into: &patches)
        var expected: [Element] = []
        for i in rows {
            for j in 0..<outputWidth {
                for u in 0..<side {
                    for v in 0..<side {
                        for channel in 0..<channels {
                            expected.append(
                                pixel(
                                    geometry.stride * i + geometry.offset + geometry.dilation * u,
                                    geometry.stride * j + geometry.offset + geometry.dilation * v,
                                    channel))
                        }
                    }
                }
            }
        }
        expected.append(Element(narrowing: 7))
        #expect(patches == expected, "\(geometry), \(channels) channels, \(Element.self)")
    }

    @Test(
        arguments: [
            PatchGeometry(kernel: 3), PatchGeometry(kernel: 3, stride: 2),
            PatchGeometry(kernel: 3, offset: -1), PatchGeometry(kernel: 3, dilation: 2, offset: -2),
            PatchGeometry(kernel: 1, stride: 2, offset: 1), PatchGeometry(kernel: 2),
        ], [1, 3, 5, 16, 21, 48])
    func holdTheTaps(geometry: PatchGeometry, channels: Int) {
        check(geometry, channels: channels, Float.self)
        check(geometry, channels: channels, BFloat16.self)
    }
}
