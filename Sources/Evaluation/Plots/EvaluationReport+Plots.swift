import Models

extension Plot.Style {
    /// Colours of Okabe and Ito, told apart by the colour-blind, with dashes and markers.
    static func of(_ policy: Policy) -> Plot.Style {
        switch policy {
        case .learned: style(0, 0.45, 0.70, [], .circle)
        case .random: style(0.45, 0.45, 0.45, [2, 3], .cross)
        case .orderedLogits: style(0.84, 0.37, 0, [7, 3], .square)
        case .sobelMean: style(0, 0.62, 0.45, [5, 2, 1.5, 2], .triangle)
        case .sobelVariance: style(0.80, 0.47, 0.65, [3, 2], .diamond)
        case .center: style(0.90, 0.62, 0, [1, 2], .plus)
        }
    }

    /// The network without attention.
    static let meanLogits = style(0.1, 0.1, 0.1, [9, 4], nil)

    /// The same where each point was measured.
    static let measuredMeanLogits = style(0.1, 0.1, 0.1, [9, 4], .square)

    /// The look of the n-th of several models; no two of the first 36 are alike.
    static func model(_ index: Int) -> Plot.Style {
        let styles = Policy.allCases.map { of($0) }
        let (first, second) = (index % styles.count, (index + index / styles.count) % styles.count)
        return Plot.Style(
            color: styles[first].color, dashes: styles[second].dashes,
            marker: styles[second].marker)
    }

    private static func style(
        _ red: Double, _ green: Double, _ blue: Double, _ dashes: [Double],
        _ marker: Canvas.Marker?
    ) -> Plot.Style {
        Plot.Style(
            color: Canvas.Color(red: red, green: green, blue: blue), dashes: dashes, marker: marker)
    }
}

extension EvaluationReport {
    /// Accuracy against glimpses, coverage against glimpses and accuracy against coverage (figures
    /// 3 and 5 of the paper).
    func plots(order: [Policy]) -> [Plot] {
        let present = order.filter { policies[$0.rawValue]?.isEmpty == false }
        guard !present.isEmpty else { return [] }
        func lines(_ point: (Entry) -> Plot.Point) -> [Plot.Line] {
            present.map { policy in
                Plot.Line(
                    name: policy.title(familyTitle), style: .of(policy),
                    points: (policies[policy.rawValue] ?? []).map(point))
            }
        }
        let coverage = lines { entry in
            let repeated = checkpoints.count > 1 ? entry.deviation?.coverage : nil
            let spread = repeated ?? entry.coverageDeviation
            return Self.point(
                Double(entry.glimpses), entry.coverage,
                max(0, entry.coverage - spread)...min(1, entry.coverage + spread))
        }
        let accuracy = lines {
            Self.point(
                Double($0.glimpses), $0.top1,
                interval($0.top1, of: $0.deviation?.top1))
        }
        let against = lines {
            Self.point(100 * $0.coverage, $0.top1, interval($0.top1, of: $0.deviation?.top1))
        }
        let glimpses = present.flatMap { policies[$0.rawValue] ?? [] }.map { Double($0.glimpses) }
        let ends = [glimpses.min() ?? 1, glimpses.max() ?? 1]
        let coverages = against.flatMap(\.points).map(\.x)
        let plots = [
            Plot(
                name: "accuracy-glimpses", title: "Accuracy by number of glimpses",
                xTitle: "Glimpses T", yTitle: "Top-1 accuracy (%)",
                lines: accuracy + reference(ends), countsGlimpses: true),
            Plot(
                name: "accuracy-coverage", title: "Accuracy by part of the image seen",
                xTitle: "Coverage (% of pixels)", yTitle: "Top-1 accuracy (%)",
                lines: against + reference([0, Ticks(0, coverages.max() ?? 1).range.upperBound]),
                countsGlimpses: false),
            Plot(
                name: "coverage-glimpses", title: "Part of the image seen by number of glimpses",
                xTitle: "Glimpses T", yTitle: "Coverage (% of pixels)", lines: coverage,
                countsGlimpses: true),
        ]
        return plots + (occlusion.map { self.plots($0, order: present) } ?? [])
    }

    /// What a classifier loses without the policies' windows (figure 5b).
    private func plots(_ occlusion: Occlusion, order: [Policy]) -> [Plot] {
        func lines(_ x: (Occlusion.Entry) -> Double) -> [Plot.Line] {
            order.map { policy in
                Plot.Line(
                    name: policy.title(familyTitle), style: .of(policy),
                    points: (occlusion.policies[policy.rawValue] ?? []).map { entry in
                        let left = interval(entry.top1, of: entry.deviation?.top1)
                        let intact = occlusion.intactTop1
                        return Self.point(
                            x(entry), entry.drop,
                            (intact - left.upperBound)...(intact - left.lowerBound))
                    })
            }
        }
        let title = "What a classifier loses without the glimpses' windows"
        let loss = "Drop in top-1 accuracy (points)"
        return [
            Plot(
                name: "occlusion-coverage", title: title, xTitle: "Taken out (% of pixels)",
                yTitle: loss, lines: lines { 100 * $0.coverage }, countsGlimpses: false),
            Plot(
                name: "occlusion-glimpses", title: title, xTitle: "Glimpses T", yTitle: loss,
                lines: lines { Double($0.glimpses) }, countsGlimpses: true),
        ]
    }

    /// What the plots' bands are.
    var bandNote: String {
        checkpoints.count > 1
            ? "Bands: ± one sample standard deviation (n − 1) of \(checkpoints.count) checkpoints."
            : "Bands: of accuracies the 95 % interval (Wilson) for \(images) images, of the random "
                + "policy with several draws ± one sample standard deviation (n − 1) of the draws; "
                + "of coverages ± one standard deviation of images."
    }

    private func reference(_ x: [Double]) -> [Plot.Line] {
        guard let meanLogits else { return [] }
        let band = interval(meanLogits.top1, of: meanLogits.deviation?.top1)
        return [
            Plot.Line(
                name: "No attention", style: .meanLogits,
                points: x.map { Self.point($0, meanLogits.top1, band) })
        ]
    }

    /// The deviation of repeats where there is one, else the interval of a single measurement.
    func interval(_ part: Double, of deviation: Double?) -> ClosedRange<Double> {
        if let deviation { return max(0, part - deviation)...min(1, part + deviation) }
        return Self.wilson(part, count: images)
    }

    /// The 95 % interval of a part that `count` independent cases had (Wilson 1927).
    static func wilson(_ part: Double, count: Int) -> ClosedRange<Double> {
        let (n, z) = (Double(max(1, count)), 1.96)
        let middle = (part + z * z / (2 * n)) / (1 + z * z / n)
        let root = (part * (1 - part) / n + z * z / (4 * n * n)).squareRoot()
        let half = z / (1 + z * z / n) * root
        return max(0, middle - half)...min(1, middle + half)
    }

    static func point(
        _ x: Double, _ part: Double, _ band: ClosedRange<Double>
    ) -> Plot.Point {
        Plot.Point(x: x, y: 100 * part, low: 100 * band.lowerBound, high: 100 * band.upperBound)
    }
}
