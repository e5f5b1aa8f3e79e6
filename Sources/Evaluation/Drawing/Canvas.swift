import CCairo
import Images

/// A picture in memory that can be drawn on and written as PNG; lengths are in pixels.
final class Canvas {
    /// Red, green and blue, each 0…1.
    struct Color {
        let red: Double
        let green: Double
        let blue: Double

        static let white = Color(red: 1, green: 1, blue: 1)
        static let black = Color(red: 0, green: 0, blue: 0)
        static let right = Color(red: 0.05, green: 0.55, blue: 0.20)
        static let wrong = Color(red: 0.84, green: 0.12, blue: 0.12)
        static let glimpse = Color(red: 1.00, green: 0.85, blue: 0.10)
    }

    /// A rectangle.
    struct Box {
        var x: Double
        var y: Double
        var width: Double
        var height: Double
    }

    private let surface: OpaquePointer
    private let context: OpaquePointer

    /// A white picture; nil where there is no memory for it.
    init?(width: Int, height: Int) {
        guard
            let surface = cairo_image_surface_create(
                CAIRO_FORMAT_RGB24, Int32(width), Int32(height)),
            cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS,
            let context = cairo_create(surface)
        else { return nil }
        (self.surface, self.context) = (surface, context)
        fill(Box(x: 0, y: 0, width: Double(width), height: Double(height)), .white)
        cairo_select_font_face(
            context, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD)
    }

    deinit {
        cairo_destroy(context)
        cairo_surface_destroy(surface)
    }

    private func use(_ color: Color, opacity: Double = 1) {
        cairo_set_source_rgba(context, color.red, color.green, color.blue, opacity)
    }

    /// Fills a rectangle.
    func fill(_ box: Box, _ color: Color, opacity: Double = 1) {
        use(color, opacity: opacity)
        cairo_rectangle(context, box.x, box.y, box.width, box.height)
        cairo_fill(context)
    }

    /// Draws a rectangle's border, its outside edge `width / 2` outside `box`.
    func frame(_ box: Box, _ color: Color, width: Double) {
        use(color)
        cairo_set_line_width(context, width)
        cairo_rectangle(context, box.x, box.y, box.width, box.height)
        cairo_stroke(context)
    }

    /// Darkens `box` everywhere but in `windows`.
    func dim(_ box: Box, except windows: [Box]) {
        cairo_push_group(context)
        fill(box, .black, opacity: 0.55)
        cairo_set_operator(context, CAIRO_OPERATOR_CLEAR)
        for window in windows {
            cairo_rectangle(context, window.x, window.y, window.width, window.height)
        }
        cairo_fill(context)
        cairo_pop_group_to_source(context)
        cairo_paint(context)
    }

    /// Draws a text whose middle is at (x, y), dark with a light rim or as `color` says.
    func text(_ text: String, x: Double, y: Double, size: Double, color: Color, hasRim: Bool) {
        cairo_set_font_size(context, size)
        var extents = cairo_text_extents_t()
        cairo_text_extents(context, text, &extents)
        cairo_move_to(
            context, x - extents.width / 2 - extents.x_bearing,
            y - extents.height / 2 - extents.y_bearing)
        if hasRim {
            cairo_text_path(context, text)
            use(.black)
            cairo_set_line_width(context, size / 4)
            cairo_stroke_preserve(context)
            use(color)
            cairo_fill(context)
        } else {
            use(color)
            cairo_show_text(context, text)
        }
        cairo_new_path(context)
    }

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

    /// Writes the picture.
    func write(to path: String) throws(ImagesError) {
        cairo_surface_flush(surface)
        let status = cairo_surface_write_to_png(surface, path)
        guard status == CAIRO_STATUS_SUCCESS else {
            throw .unwritable(path: path, reason: String(cString: cairo_status_to_string(status)))
        }
    }
}
