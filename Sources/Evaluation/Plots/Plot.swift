import Foundation

/// Lines through measurements, in two axes of percent or counts.
struct Plot {
    /// One measurement and how far it is uncertain.
    struct Point: Equatable {
        let x: Double
        let y: Double
        /// The ends of the error band.
        let low: Double
        let high: Double
    }

    /// How a line looks: colour, dashes and marker each tell it from the others, so that it can be
    /// told in grey print too.
    struct Style {
        let color: Canvas.Color
        let dashes: [Double]
        let marker: Canvas.Marker?
    }

    /// One line.
    struct Line {
        let name: String
        let style: Style
        let points: [Point]
    }

    /// The name of its files.
    let name: String
    /// What it shows.
    let title: String
    /// What is to the right.
    let xTitle: String
    /// What is upwards.
    let yTitle: String
    /// The lines, in the order of the legend.
    let lines: [Line]
    /// Whether x counts glimpses.
    let countsGlimpses: Bool
}

/// The marks of an axis.
struct Ticks: Equatable {
    /// The marked numbers, in increasing order.
    let values: [Double]
    /// The axis's ends.
    let range: ClosedRange<Double>

    /// Round numbers, about `count` of them, from `low` to `high` or a little beyond.
    init(_ low: Double, _ high: Double, count: Int = 6) {
        let width = max(high - low, 1e-9)
        let rough = width / Double(count)
        var power = 1.0
        while power > rough { power /= 10 }
        while power * 10 <= rough { power *= 10 }
        let step = ([1, 2, 5].first { $0 * power >= rough * 0.999 } ?? 10) * power
        let (first, last) = ((low / step).rounded(.down), (high / step - 1e-9).rounded(.up))
        values = (Int(first)...max(Int(first) + 1, Int(last))).map { Double($0) * step }
        range = values[0]...values[values.count - 1]
    }

    /// 1 and even counts up to `most`, or every fifth where there are many.
    init(glimpses most: Int) {
        let step = most <= 10 ? 1 : most <= 24 ? 2 : max(5, most / 50 * 5)
        let counts = [1] + stride(from: step, through: most, by: step).filter { $0 > 1 }
        values = counts.map(Double.init)
        range = 0.5...(Double(most) + 0.5)
    }

    /// A mark's text.
    static func text(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : String(format: "%g", value)
    }
}
