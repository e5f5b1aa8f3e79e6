import Checkpoints
import Foundation
import Images
import Models

extension EvaluationRun {
    /// Makes the folder that `write` will fill, and refuses one in which others' files have the
    /// names of results.
    public static func prepare(_ folder: String) throws {
        _ = try ResultFolder(
            folder, for: ["report.html", "results.json", "results.csv", "predictions.csv"])
    }

    /// Writes `results.json`, `results.csv`, `predictions.csv`, `report.html`, plots and pictures in
    /// the place of an earlier evaluation's; returns the paths.
    public func write(_ report: EvaluationReport, to folder: String) throws -> [String] {
        var page = ReportPage(report, order: policies, data: data)
        var files = [
            ResultFolder.File("results.json", text: try report.json(isPretty: true) + "\n"),
            ResultFolder.File("results.csv", text: report.csv(order: policies)),
        ]
        files.append(
            ResultFolder.File("predictions.csv", text: EvaluationReport.lines(predictions)))
        if let classification = report.classification {
            files += try add(classification, to: &page)
        }
        if let robustness = report.robustness {
            let text = robustness.csv(checkpoints: checkpoints.map(\.provenance.path))
            files.append(ResultFolder.File("robustness.csv", text: text))
        }
        let plots = report.plots(order: policies) + report.classificationPlots
        for plot in plots + report.robustnessPlots {
            let (svg, png) = (try plot.svg(), try plot.png())
            page.add(plot, svg: svg)
            files.append(ResultFolder.File("\(plot.name).svg", svg))
            files.append(ResultFolder.File("\(plot.name).png", png))
        }
        for picture in try pictures() {
            page.add(picture)
            files.append(ResultFolder.File("\(picture.name).png", picture.png))
        }
        files.insert(ResultFolder.File("report.html", text: page.html), at: 0)
        return try ResultFolder(folder, for: []).replace(by: files)
    }

    /// Shows where the model fails; returns the files.
    private func add(
        _ classification: Classification, to page: inout ReportPage
    ) throws -> [ResultFolder.File] {
        let picture = ConfusionPicture(classification: classification)
        let svg = try picture.svg()
        page.addConfusions(svg, title: picture.title)
        let table = ConfusionTable(
            scores.compactMap(\.outcomes).map {
                ConfusionTable(labels: labels, predictions: $0.predictions, classes: classes.count)
            })
        return [
            ResultFolder.File("\(ConfusionPicture.name).svg", svg),
            ResultFolder.File("\(ConfusionPicture.name).png", try picture.png()),
        ] + classification.csv(table).map { ResultFolder.File($0.name, text: $0.text) }
    }

    /// What each checkpoint says of each image by each policy, of the random one by the first draw:
    /// the content of `predictions.csv`, for paired tests. The last two columns are the prediction of
    /// the report's last line and its probability.
    private var predictions: [[String]] {
        let columns = ["checkpoint", "image", "class", "label", "glimpses"]
        var rows = [columns + policies.map(\.rawValue) + ["word", "predicted", "probability"]]
        for (checkpoint, scores) in zip(checkpoints, scores) {
            for (index, entry) in images.entries.enumerated() {
                let label = Int(entry.label)
                rows.append(
                    [checkpoint.provenance.path, entry.name, classNames[label], "\(label)"]
                        + ["\(picturedGlimpses)"]
                        + policies.map { policy in
                            scores.verdicts[policy].map { "\($0.predictions[index])" } ?? ""
                        } + [classes[label]] + judgement(scores.outcomes, index))
            }
        }
        return rows
    }

    private func judgement(_ outcomes: Outcomes?, _ image: Int) -> [String] {
        guard let outcomes else { return ["", ""] }
        return [
            "\(outcomes.predictions[image])",
            "\(Double(outcomes.confidences[image]) / Double(Confidence.unit))",
        ]
    }

    /// The images in a few words.
    private var data: ReportPage.Data {
        let counts = images.entries.reduce(into: [Int](repeating: 0, count: classes.count)) {
            $0[Int($1.label)] += 1
        }
        return ReportPage.Data(classes: zip(classes, counts).map { ($0, $1) })
    }

    /// The sheets, drawn.
    private func pictures() throws -> [ReportPage.Picture] {
        guard options.picturedCount > 0, !policies.isEmpty else { return [] }
        let (checkpoint, scores) = (checkpoints[0], scores[0])
        let evaluator = try evaluator(checkpoint, batchSize: options.picturedCount)
        let familyTitle = checkpoint.stored.family.title
        var pictures: [ReportPage.Picture] = []
        for policy in policies {
            guard let verdicts = scores.verdicts[policy] else { continue }
            for choice in options.choices
            where choice == options.choices[0] || policy == policies[0] {
                let chosen = choice.images(options.picturedCount, of: images, verdicts: verdicts)
                if chosen.isEmpty { continue }
                let ending = choice == .spread ? "" : "-\(choice.rawValue)"
                let pictured = try evaluator.pictured(images, chosen, places: places)
                let sheet = ContactSheet(
                    pictured, policy: policy, glimpses: picturedGlimpses, classes: classes)
                if let png = try sheet.png() {
                    pictures.append(
                        ReportPage.Picture(
                            name: "glimpses-\(policy.rawValue)\(ending)",
                            title:
                                "\(policy.title(familyTitle)), T = \(picturedGlimpses): \(choice.title)",
                            png: png))
                }
                guard policy.isLearned else { continue }
                let maps = HeatMapSheet(
                    pictured, glimpses: picturedGlimpses, classes: classes)
                if let png = try maps.png() {
                    pictures.append(
                        ReportPage.Picture(
                            name: "policy-\(policy.rawValue)\(ending)",
                            title: "Where the learned policy wants to look, glimpse by glimpse: "
                                + choice.title, png: png))
                }
            }
        }
        return pictures
    }
}
