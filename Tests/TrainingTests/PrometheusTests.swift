import Foundation
import TestSupport
import Testing

@testable import Training

/// The file for node_exporter.
@Suite struct PrometheusTests {
    private func line(_ stage: String, _ step: Int, _ more: [(String, MetricsValue)])
        -> [(String, MetricsValue)]
    {
        [("time", .number(1000.5)), ("stage", .text(stage)), ("step", .integer(step))] + more
    }

    @Test func theFileHasTheLatestFiguresOfTheStage() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("run.prom")
        let file = PrometheusFile(path, run: "/runs/\"a\"")
        func text() throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
        try file.write(
            line("representation", 3, [("loss", .number(.nan)), ("reward", .number(1))]))
        try file.write(line("joint", 4, [("loss", .number(0.25)), ("weird", .number(-.infinity))]))
        try file.write(
            line(
                "joint", 4,
                [("developmentAccuracy", .number(0.5)), ("betterWeights", .text("ema"))]))
        let labels = #"{run="/runs/\"a\"",stage="joint"}"#
        #expect(
            try text().split(separator: "\n").filter { !$0.hasPrefix("#") } == [
                "saccader_dev_accuracy_ratio\(labels) 0.5",
                #"saccader_info{run="/runs/\"a\"",version="0.2.0"} 1"#,
                #"saccader_log_timestamp_seconds{run="/runs/\"a\""} 1000.5"#,
                "saccader_progress_steps_total\(labels) 4",
                "saccader_train_loss\(labels) 0.25", "saccader_train_weird\(labels) -Inf",
            ])
        #expect(
            try text().hasPrefix(
                """
                # HELP saccader_dev_accuracy_ratio Part of the development images that were right.
                # TYPE saccader_dev_accuracy_ratio gauge
                saccader_dev_accuracy_ratio
                """))
        #expect(try text().contains("# TYPE saccader_progress_steps_total counter\n"))
        #expect(try text().hasSuffix("\n"))
        // Nothing else lies in the folder, which others read.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["run.prom"])
    }

    @Test(arguments: [
        ("loss", "train/loss", "saccader_train_loss"),
        ("learningRate", "optimizer/learningRate", "saccader_optimizer_learning_rate"),
        ("developmentAccuracy", "dev/accuracy", "saccader_dev_accuracy_ratio"),
        ("samples", "progress/images", "saccader_progress_images_total"),
        ("l2Location", "train/l2Location", "saccader_train_l2_location"),
        ("allReduceSeconds", "speed/allReduceSeconds", "saccader_speed_all_reduce_seconds"),
    ])
    func fieldsHaveTheNamesThatOtherProgramsExpect(key: String, tag: String, metric: String) {
        #expect(WatchedQuantity(key)?.tag == tag)
        #expect(WatchedQuantity(key)?.metric == metric)
    }
}
