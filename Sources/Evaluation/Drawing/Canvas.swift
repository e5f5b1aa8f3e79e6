import CCairo
import Foundation
import Images
import Terminal

/// A picture in memory that can be drawn on; lengths are in pixels, or in points of an SVG.
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
        static let ink = Color(red: 0.15, green: 0.15, blue: 0.15)
        static let grid = Color(red: 0.88, green: 0.88, blue: 0.88)
    }

    /// A rectangle.
    struct Box {
        var x: Double
        var y: Double
        var width: Double
        var height: Double
    }

    let surface: OpaquePointer
    let context: OpaquePointer
    /// What an SVG's surface has written so far.
    private let bytes: Bytes?

    /// Collects what cairo writes.
    final class Bytes {
        var data = Data()
    }

    /// A white picture of pixels; nil where there is no memory for it.
    ///
    /// - Parameter scale: Pixels of one unit of length.
    convenience init?(width: Int, height: Int, scale: Int = 1) {
        self.init(
            cairo_image_surface_create(
                CAIRO_FORMAT_RGB24, Int32(width * scale), Int32(height * scale)),
            width: width, height: height, bytes: nil)
        cairo_scale(context, Double(scale), Double(scale))
    }

    /// A white picture of lines and areas, `width` × `height` points.
    convenience init?(vectorWidth width: Int, height: Int) {
        let bytes = Bytes()
        self.init(
            cairo_svg_surface_create_for_stream(
                Self.append, Unmanaged.passUnretained(bytes).toOpaque(), Double(width),
                Double(height)),
            width: width, height: height, bytes: bytes)
    }

    private init?(_ surface: OpaquePointer?, width: Int, height: Int, bytes: Bytes?) {
        guard let surface, cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS,
            let context = cairo_create(surface)
        else { return nil }
        (self.surface, self.context, self.bytes) = (surface, context, bytes)
        use(.white)
        cairo_paint(context)
        useFont(isBold: true)
    }

    deinit {
        cairo_destroy(context)
        cairo_surface_destroy(surface)
    }

    private static let append: cairo_write_func_t = { closure, start, count in
        guard let closure, let start else { return CAIRO_STATUS_WRITE_ERROR }
        Unmanaged<Bytes>.fromOpaque(closure).takeUnretainedValue().data.append(
            start, count: Int(count))
        return CAIRO_STATUS_SUCCESS
    }

    /// Chooses the weight of the letters.
    func useFont(isBold: Bool) {
        cairo_select_font_face(
            context, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
            isBold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL)
    }

    func use(_ color: Color, opacity: Double = 1) {
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

    /// Draws a text whose middle is at (x, y), on a dark rim where asked.
    ///
    /// - Parameter maxWidth: How wide it may be: longer ones become smaller.
    func text(
        _ text: String, x: Double, y: Double, size: Double, color: Color, hasRim: Bool,
        maxWidth: Double = .infinity
    ) {
        cairo_set_font_size(context, size)
        var extents = cairo_text_extents_t()
        cairo_text_extents(context, text, &extents)
        if extents.width > maxWidth {
            cairo_set_font_size(context, size * maxWidth / extents.width)
            cairo_text_extents(context, text, &extents)
        }
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

    /// The picture as an SVG file where it is one of lines, else as a PNG file.
    func encoded() throws(RequestError) -> Data {
        guard let bytes else {
            cairo_surface_flush(surface)
            try Self.check(cairo_surface_status(surface))
            return try png()
        }
        cairo_surface_finish(surface)
        try Self.check(cairo_surface_status(surface))
        return bytes.data
    }

    private static func check(_ status: cairo_status_t) throws(RequestError) {
        guard status != CAIRO_STATUS_SUCCESS else { return }
        throw RequestError(
            "a picture cannot be drawn: \(String(cString: cairo_status_to_string(status))); "
                + "ask for less with --pictures", exitCode: .internalError)
    }
}
