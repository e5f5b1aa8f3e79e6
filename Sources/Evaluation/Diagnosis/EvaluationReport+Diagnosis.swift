import Models

extension EvaluationReport {
    /// Which prediction the last line is of.
    var judged: Outcomes.Judged {
        headlinePolicy.map { .policy($0, glimpses: headlineGlimpses) } ?? .whole
    }

    /// How far the confidence can be trusted, and what comes of stopping when sure.
    var classificationPlots: [Plot] {
        guard let classification else { return [] }
        return [reliability(classification)] + (earlyExit(classification).map { [$0] } ?? [])
    }

    private func reliability(_ classification: Classification) -> Plot {
        let bins = classification.calibration.filter { $0.count > 0 }
        let all = Double(max(1, bins.reduce(0) { $0 + $1.count }))
        return Plot(
            name: "calibration",
            title: "Calibration (\(classification.what)): expected calibration error "
                + Self.percent(classification.calibrationError, nil) + " %",
            xTitle: "Confidence (%)", yTitle: "Top-1 accuracy (%)",
            lines: [
                Plot.Line(
                    name: "This model", style: .of(.learned),
                    points: bins.map { bin in
                        let top1 = bin.top1 ?? 0
                        return Self.point(
                            100 * (bin.confidence ?? 0), top1,
                            Self.wilson(top1, count: bin.count))
                    }),
                Plot.Line(
                    name: "Well calibrated", style: .meanLogits,
                    points: [Self.point(0, 0, 0...0), Self.point(100, 1, 1...1)]),
                Plot.Line(
                    name: "Part of images (%)", style: .of(.random),
                    points: bins.map { bin in
                        let part = Double(bin.count) / all
                        return Self.point(100 * (bin.confidence ?? 0), part, part...part)
                    }),
            ], countsGlimpses: false)
    }

    private func earlyExit(_ classification: Classification) -> Plot? {
        guard let exits = classification.earlyExit, let glimpses = classification.glimpses,
            let policy = headlinePolicy
        else { return nil }
        let fixed = (policies[policy.rawValue] ?? []).filter { $0.glimpses <= glimpses }
        return Plot(
            name: "early-exit", title: "Looking no further when sure (\(classification.what))",
            xTitle: "Glimpses (mean of images)", yTitle: "Top-1 accuracy (%)",
            lines: [
                Plot.Line(
                    name: "Stopping when sure", style: .of(.learned),
                    points: exits.map {
                        Self.point($0.glimpses, $0.top1, Self.wilson($0.top1, count: images))
                    }),
                Plot.Line(
                    name: "As many for all", style: .of(.orderedLogits),
                    points: fixed.map {
                        Self.point(Double($0.glimpses), $0.top1, $0.top1...$0.top1)
                    }),
            ], countsGlimpses: false)
    }
}
