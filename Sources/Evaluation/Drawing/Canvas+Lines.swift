import CCairo

extension Canvas {
    /// A place on the picture.
    struct Point: Equatable {
        let x: Double
        let y: Double
    }

    /// Where a text stands relative to its point.
    enum Anchor: Double {
        case start = 0
        case middle = 0.5
        case end = 1
    }

    /// What marks a point of a plot.
    enum Marker {
        case circle, square, triangle, diamond, cross, plus
    }

    private func trace(_ points: [Point]) {
        for (index, point) in points.enumerated() {
            index == 0
                ? cairo_move_to(context, point.x, point.y)
                : cairo_line_to(context, point.x, point.y)
        }
    }

    /// Draws a line through points.
    ///
    /// - Parameter dashes: Lengths of strokes and gaps in turn; empty: one stroke.
    func line(_ points: [Point], _ color: Color, width: Double, dashes: [Double] = []) {
        use(color)
        cairo_set_line_width(context, width)
        cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
        cairo_set_dash(context, dashes, Int32(dashes.count), 0)
        trace(points)
        cairo_stroke(context)
        cairo_set_dash(context, nil, 0, 0)
    }

    /// Fills the area that a line encloses.
    func area(_ points: [Point], _ color: Color, opacity: Double) {
        use(color, opacity: opacity)
        trace(points)
        cairo_close_path(context)
        cairo_fill(context)
    }

    /// Draws a marker on a white rim.
    func mark(_ marker: Marker, at point: Point, _ color: Color, radius r: Double) {
        func shape(_ corners: [(Double, Double)]) {
            trace(corners.map { Point(x: point.x + r * $0.0, y: point.y + r * $0.1) })
            cairo_close_path(context)
        }
        switch marker {
        case .circle: cairo_arc(context, point.x, point.y, r, 0, 2 * .pi)
        case .square: shape([(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)])
        case .triangle: shape([(0, -1.15), (1.1, 0.85), (-1.1, 0.85)])
        case .diamond: shape([(0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)])
        case .cross, .plus:
            let k = marker == .cross ? 0.9 : 0
            let arms = marker == .cross ? [(k, k), (k, -k)] : [(1.2, 0), (0, 1.2)]
            for (x, y) in arms {
                line(
                    [
                        Point(x: point.x - r * x, y: point.y - r * y),
                        Point(x: point.x + r * x, y: point.y + r * y),
                    ], color, width: 0.5 * r)
            }
            return
        }
        use(.white)
        cairo_set_line_width(context, 1.2)
        cairo_stroke_preserve(context)
        use(color)
        cairo_fill(context)
    }

    /// How far a text of plain letters reaches.
    static func width(of text: String, size: Double) -> Double {
        guard let canvas = Canvas(width: 1, height: 1) else { return 0 }
        canvas.useFont(isBold: false)
        cairo_set_font_size(canvas.context, size)
        var extents = cairo_text_extents_t()
        cairo_text_extents(canvas.context, text, &extents)
        return extents.x_advance
    }

    /// Writes a text, its vertical middle at the point.
    func label(
        _ text: String, at point: Point, size: Double, anchor: Anchor, color: Color = .ink,
        isVertical: Bool = false
    ) {
        cairo_save(context)
        use(color)
        cairo_set_font_size(context, size)
        var extents = cairo_text_extents_t()
        cairo_text_extents(context, text, &extents)
        cairo_translate(context, point.x, point.y)
        if isVertical { cairo_rotate(context, -.pi / 2) }
        // Digits and capitals are 0.73 of the size high: one height for all, whatever descends.
        cairo_move_to(context, -anchor.rawValue * extents.x_advance, 0.365 * size)
        cairo_show_text(context, text)
        cairo_restore(context)
    }

    /// Draws only inside `box` while `body` runs.
    func clip(_ box: Box, _ body: () -> Void) {
        cairo_save(context)
        cairo_rectangle(context, box.x, box.y, box.width, box.height)
        cairo_clip(context)
        body()
        cairo_restore(context)
    }
}
