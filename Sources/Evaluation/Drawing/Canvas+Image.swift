import CCairo
import Images

extension Canvas {
    /// Draws an image, each of its pixels as `scale`² of ours, unsmoothed.
    func image(_ pixels: Pixels, x: Double, y: Double, scale: Double) {
        guard
            let image = cairo_image_surface_create(
                CAIRO_FORMAT_RGB24, Int32(pixels.width), Int32(pixels.height)),
            let rows = cairo_image_surface_get_data(image)
        else { return }
        defer { cairo_surface_destroy(image) }
        let stride = Int(cairo_image_surface_get_stride(image))
        for row in 0..<pixels.height {
            for column in 0..<pixels.width {
                let source = (row * pixels.width + column) * 3
                // RGB24 is a native 32-bit word: blue first on little-endian machines.
                let word =
                    UInt32(pixels.bytes[source]) << 16 | UInt32(pixels.bytes[source + 1]) << 8
                    | UInt32(pixels.bytes[source + 2])
                UnsafeMutableRawPointer(rows).storeBytes(
                    of: word, toByteOffset: row * stride + 4 * column, as: UInt32.self)
            }
        }
        cairo_surface_mark_dirty(image)
        cairo_save(context)
        cairo_translate(context, x, y)
        cairo_scale(context, scale, scale)
        cairo_set_source_surface(context, image, 0, 0)
        cairo_pattern_set_filter(cairo_get_source(context), CAIRO_FILTER_NEAREST)
        cairo_paint(context)
        cairo_restore(context)
    }
}
