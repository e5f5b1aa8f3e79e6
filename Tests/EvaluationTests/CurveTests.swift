import Foundation
import TestSupport
import Testing

@testable import Evaluation
@testable import Terminal

/// Logs of training runs and their curves.
@Suite struct CurveTests {
    private let log = """
        {"stage": "a", "step": 1, "epoch": 0.5, "samples": 8, "time": 10, "loss": 4, "accuracy": 0.25}
        {"stage": "a", "step": 2, "epoch": 1.0, "samples": 16, "time": 12, "loss": null, "accuracy": 0.5}
        {"stage": "a", "step": 2, "epoch": 1.0, "samples": 16, "time": 13, "developmentAccuracy": 0.75}
        {"stage": "a", "step": 3, "ep
        {"stage": "b", "step": 1, "epoch": 0.5, "samples": 8, "time": 20, "loss": 2, "reward": 0.5}
        {"stage": "a", "step": 1, "epoch": 0.5, "samples": 8, "time": 30, "loss": 3, "accuracy": 0.5}

        [1]
        """

    private func run(_ text: String) throws -> RunLog {
        try RunLog(text: text, path: "run/metrics.jsonl", name: "run")
    }

    @Test func aLogIsReadByStagesAndWhatIsWrongIsTold() throws {
        let run = try run(log)
        #expect(run.stages.map(\.name) == ["a", "b"])
        // The later line of a step counts, and a number that is not finite is a gap.
        #expect(run.stages[0].curve("loss") == [Curve.Point(x: 0.5, y: 3)])
        #expect(run.stages[0].curve("accuracy").map(\.y) == [0.5, 0.5])
        #expect(run.stages[0].curve("developmentAccuracy") == [Curve.Point(x: 1, y: 0.75)])
        #expect(run.stages[0].seconds == 20 && run.stages[1].points[0].samples == 8)
        #expect(
            run.warnings == [
                "run/metrics.jsonl: 2 lines cannot be read (the first: line 4); the others are drawn",
                "run/metrics.jsonl: 1 steps are logged more than once, as after going on from an "
                    + "earlier checkpoint; the last line of each counts",
            ])
    }

    @Test func whatIsNoLogIsRefused() {
        for text in ["", "no log\n", "{\"a\": 1}\n"] {
            #expect {
                try run(text)
            } throws: { error in
                (error as? RequestError)?.exitCode == .badData
            }
        }
    }

    /// The average of TensorBoard: 0.5·1 + 0.5·… divided by its weights.
    @Test func smoothingIsAnUnbiasedMovingAverage() {
        let curve = Curve(points: [4, 0, 8].enumerated().map { .init(x: Double($0), y: $1) })
        #expect(curve.smoothed(weight: 0).map(\.y) == [4, 0, 8])
        let found = curve.smoothed(weight: 0.5).map(\.y)
        let expected = [4, (0.25 * 4) / 0.75, (0.125 * 4 + 0.5 * 8) / 0.875]
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-12 })
        #expect(Curve.weight(count: 3) == 0 && Curve.weight(count: 150) == 0.9)
    }

    @Test func longCurvesKeepTheirPeaks() {
        var points = (0..<100_000).map { Curve.Point(x: Double($0), y: Double($0 % 7)) }
        points[77_777] = Curve.Point(x: 77_777, y: 1000)
        points[5] = Curve.Point(x: 5, y: -1000)
        let thin = Curve.thinned(points)
        #expect(thin.count <= Curve.mostPoints && thin.count > 900)
        #expect(thin.contains(points[77_777]) && thin.contains(points[5]))
        #expect(thin.map(\.x) == thin.map(\.x).sorted())
        #expect(Curve.thinned([points[5]]) == [points[5]])
    }

    @Test func onlyWhatWasLoggedIsDrawn() throws {
        let runs = [try run(log)]
        let sheets = Quantity.allCases.map { CurveSheet($0, of: runs, weight: nil) }
        #expect(sheets.map { $0 != nil } == [true, true, true, false])
        let svg = String(decoding: try #require(sheets[1]).svg(), as: UTF8.self)
        #expect(svg.hasPrefix("<?xml") && svg.hasSuffix("</svg>\n"))
        #expect(try #require(sheets[0]).png().prefix(4) == Data([0x89, 0x50, 0x4E, 0x47]))
    }

    @Test func scoresOfAveragedWeightsAreDrawnAndListed() throws {
        let folder = try TemporaryFolder()
        func report(_ average: String) throws -> (table: String, title: String?, svg: Data) {
            let text = (1...4).map {
                #"{"stage": "joint", "step": \#($0), "epoch": \#($0), "accuracy": 0.5}"# + "\n"
                    + #"{"stage": "joint", "step": \#($0), "developmentAccuracy": 0.6\#(average)}"#
            }.joined(separator: "\n")
            let path = folder.path("metrics.jsonl")
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            let sheet = try #require(
                CurveSheet(.accuracy, of: [RunLog(path, name: "run")], weight: nil))
            return (
                try CurveReport([path], smoothing: nil).table, sheet.title, try sheet.svg()
            )
        }
        let (without, plain, _) = try report("")
        #expect(!without.contains("averaged") && plain?.contains("averaged") == false)
        let (with, title, low) = try report(#", "emaDevelopmentAccuracy": 0.725"#)
        #expect(with.contains("averaged, %") && with.contains("72.5"), "\(with)")
        #expect(title?.contains("hollow: averaged weights") == true)
        #expect(try report(#", "emaDevelopmentAccuracy": 0.8"#).svg != low)
    }
}
