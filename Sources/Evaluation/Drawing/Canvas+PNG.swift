import CCairo
import CPNG
import Foundation
import Terminal

extension Canvas {
    /// The picture as a PNG file, packed for speed: cairo's own is a few percent smaller and takes
    /// several times as long, longer than everything else about a prediction's picture.
    func png() throws(RequestError) -> Data {
        let (width, height) = (
            Int(cairo_image_surface_get_width(surface)),
            Int(cairo_image_surface_get_height(surface))
        )
        let stride = Int(cairo_image_surface_get_stride(surface))
        guard let pixels = cairo_image_surface_get_data(surface) else {
            throw ContactSheet.noMemory
        }
        // A pixel is a number 0x00RRGGBB.
        var colors = [UInt8](repeating: 0, count: 3 * width * height)
        for row in 0..<height {
            let line = UnsafeRawPointer(pixels + row * stride)
            for column in 0..<width {
                let pixel = line.load(fromByteOffset: 4 * column, as: UInt32.self)
                let place = 3 * (row * width + column)
                colors[place] = UInt8(truncatingIfNeeded: pixel >> 16)
                colors[place + 1] = UInt8(truncatingIfNeeded: pixel >> 8)
                colors[place + 2] = UInt8(truncatingIfNeeded: pixel)
            }
        }
        var image = png_image()
        image.version = png_simplified_version()
        (image.width, image.height) = (png_uint_32(width), png_uint_32(height))
        (image.format, image.flags) = (png_rgb_format(), png_fast_flag())
        var count = png_most_bytes(image)
        var file = [UInt8](repeating: 0, count: Int(count))
        guard png_image_write_to_memory(&image, &file, &count, 0, colors, 0, nil) != 0 else {
            let reason = withUnsafeBytes(of: image.message) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            png_image_free(&image)
            throw RequestError(
                "a picture cannot be written as PNG: \(reason); ask for less with --pictures",
                exitCode: .internalError)
        }
        return Data(file.prefix(Int(count)))
    }
}
