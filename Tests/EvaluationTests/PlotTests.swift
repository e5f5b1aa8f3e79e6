import Foundation
import Models
import Testing

@testable import Evaluation
@testable import SaccaderModel

/// Axes, bands and files of the plots.
@Suite struct PlotTests {
    @Test func axesAreMarkedAtRoundNumbers() {
        #expect(Ticks(0, 100).values == [0, 20, 40, 60, 80, 100])
        #expect(Ticks(0, 74.2).values == [0, 20, 40, 60, 80])
        #expect(Ticks(0, 6.5).values == [0, 2, 4, 6, 8])
        #expect(Ticks(0, 0).values.count > 1)
        #expect(Ticks(glimpses: 6).values == [1, 2, 3, 4, 5, 6])
        #expect(Ticks(glimpses: 20).values == [1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20])
    }

    /// statsmodels: proportion_confint(8, 10, method="wilson") with z = 1.96.
    @Test func theIntervalIsWilsons() {
        let band = EvaluationReport.wilson(0.8, count: 10)
        #expect(abs(band.lowerBound - 0.490157) < 1e-4)
        #expect(abs(band.upperBound - 0.943321) < 1e-4)
        #expect(EvaluationReport.wilson(1, count: 5).upperBound == 1)
        #expect(EvaluationReport.wilson(0, count: 5).lowerBound == 0)
    }

    private var plot: Plot {
        let points = (1...3).map {
            Plot.Point(x: Double($0), y: Double(20 * $0), low: 10, high: 70)
        }
        return Plot(
            name: "a", title: "A", xTitle: "x", yTitle: "y",
            lines: [Plot.Line(name: "B", style: .of(.learned), points: points)],
            countsGlimpses: true)
    }

    @Test func aPlotIsAnSVGAndAPNG() throws {
        let svg = String(decoding: try plot.svg(), as: UTF8.self)
        #expect(svg.hasPrefix("<?xml") && svg.hasSuffix("</svg>\n"))
        // 0, 0.45, 0.70 of the learned policy's line.
        #expect(svg.replacing(" ", with: "").contains("rgb(0%,45"))
        let png = try plot.png()
        #expect(png.prefix(8) == Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
        // Width and height of the header, big-endian.
        #expect(Array(png[16..<24]) == [0, 0, 5, 0, 0, 0, 3, 72])
        #expect(try plot.png() == png)
    }

    @Test func longNamesWidenThePicture() throws {
        func width(_ name: String) throws -> Int {
            let line = Plot.Line(name: name, style: .of(.learned), points: plot.lines[0].points)
            let png = try Plot(
                name: "a", title: "A", xTitle: "x", yTitle: "y", lines: [line],
                countsGlimpses: true
            ).png()
            return png[16..<20].reduce(0) { 256 * $0 + Int($1) }
        }
        #expect(try width("Sobel variance") == 1280)
        let letters = try width(String(repeating: "m", count: 60))
        // 60 letters of 11 points, each nearly as wide as high.
        #expect(letters > 1280 + 840 && letters < 1280 + 1440)
    }

    @Test func manyModelsHaveLooksOfTheirOwn() {
        let looks = (0..<36).map { index in
            let style = Plot.Style.model(index)
            return "\(style.color) \(style.dashes) \(String(describing: style.marker))"
        }
        #expect(Set(looks).count == 36)
    }

    @Test func everyPolicyHasALookOfItsOwn() {
        let styles = Policy.allCases.map(Plot.Style.of)
        #expect(Set(styles.map { "\($0.dashes)" }).count == styles.count)
        #expect(Set(styles.map { $0.marker }).count == styles.count)
    }
}
