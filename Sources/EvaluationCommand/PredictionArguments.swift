import ArgumentParser
import Evaluation
import Foundation
import Host
import Terminal

/// The words of `saccader-eval predict`.
public struct PredictionArguments: ParsableArguments {
    @Argument(help: "The checkpoint (HDF5).")
    var checkpoint: String

    @Argument(
        help: ArgumentHelp(
            "Pictures, folders of pictures, texts with a path a line, or - for standard input.",
            valueName: "picture|folder|list|-"))
    var pictures: [String]

    @Option(help: "How many classes are named for each picture.")
    var top = 5

    @Option(help: "The most glimpses of a picture; left out: as many as in training.")
    var glimpses: Int?

    @Option(
        help: ArgumentHelp(
            "Stop looking as soon as the most probable class has this probability.",
            valueName: "probability"))
    var confidence: Double?

    @Option(
        help: "A folder for predictions.csv, predictions.jsonl and the pictures with glimpses.")
    var output: String?

    @Option(help: "At most this many pictures are drawn into --output; left out: all.")
    var drawn: Int?

    @Flag(help: "One JSON object a line instead of text.")
    var json = false

    @Option(help: "Pictures of one pass through the network: 1 answers soonest, more are faster.")
    var batchSize = 64

    @OptionGroup var framing: FramingArguments

    @Option(help: "Threads; left out: one for each core.")
    var threads: Int?

    @Flag(help: "Takes arrays that do not match their checksums: you have edited them.")
    var acceptEdited = false

    @Flag(help: "No progress bar and no summary.")
    var quiet = false

    /// How often it is told how far a pipe has come, of which nobody knows how much is to come.
    private static let secondsBetweenLines = 10.0

    /// The parser fills the values in.
    public init() {}

    public func validate() throws {
        try OptionRange.require(["top": top, "glimpses": glimpses, "threads": threads])
        try OptionRange.require(["drawn": drawn], least: 0)
        try OptionRange.require(["batch-size": batchSize], most: 1_000_000)
        if let confidence, !(confidence > 0 && confidence <= 1) {
            throw ValidationError(
                "--confidence is \(confidence): give a probability above 0 and at most 1, for "
                    + "example 0.9")
        }
        if pictures.isEmpty {
            throw ValidationError("no pictures: name files, folders or a list, or - for a pipe")
        }
        if drawn != nil && output == nil {
            throw ValidationError("--drawn needs a folder to draw into: give --output too")
        }
    }

    /// Predicts; names what cannot be read.
    ///
    /// - Throws: At the end, where some pictures could not be read.
    public func predict() throws {
        var options = PredictionOptions(
            checkpoint: checkpoint, pictures: pictures,
            threadCount: threads ?? CPUQuota.usableCores)
        (options.top, options.glimpses, options.confidence) = (top, glimpses, confidence)
        (options.batchSize, options.framing) = (batchSize, framing.resize)
        options.acceptsEdited = acceptEdited
        options.centralCropMargin = framing.centralCropMargin
        options.wantsMaps = output != nil && drawn != 0
        let run = try PredictionRun(options)
        let folder = try output.map {
            try PredictionFolder($0, of: run, mostPictures: drawn ?? Int.max)
        }
        for warning in run.warnings { Console.say("saccader-eval: warning: \(warning)") }
        // On a terminal the lines themselves are the progress.
        let bar = ProgressBar(
            "predicting", total: run.count ?? 0, unit: "pictures",
            style: run.count == nil || Console.printsOnTerminal
                ? .quiet : .fitting(isQuiet: quiet))
        let start = Date()
        var (done, unread, told) = (0, 0, Date())
        try run.run { batch in
            for problem in try folder?.add(batch) ?? [] {
                Console.say("saccader-eval: not drawn: \(problem)")
            }
            for prediction in batch {
                if let problem = prediction.problem {
                    unread += 1
                    Console.say("saccader-eval: \(problem)")
                }
            }
            let lines = json ? try batch.map { try $0.json() } : batch.compactMap(\.line)
            if !lines.isEmpty { try Console.print(lines.joined(separator: "\n")) }
            done += batch.count
            bar.update(done)
            if run.count == nil && !quiet && !Console.printsOnTerminal
                && Date().timeIntervalSince(told) > Self.secondsBetweenLines
            {
                told = Date()
                let rate = Double(done) / told.timeIntervalSince(start)
                Console.say(String(format: "predicting: %d pictures, %.1f pictures/s", done, rate))
            }
            return folder != nil || Console.hasReader
        }
        bar.finish()
        if done == 0 {
            throw RequestError(
                "\(pictures.joined(separator: " ")): names no pictures; give a path a line",
                exitCode: .missingInput)
        }
        if !quiet { summarize(done - unread, seconds: Date().timeIntervalSince(start)) }
        if unread > 0 {
            throw RequestError(
                "\(unread) of \(done) pictures cannot be read (named above): repair them or leave "
                    + "them out; \(done - unread) are predicted",
                exitCode: .badData)
        }
    }

    private func summarize(_ count: Int, seconds: Double) {
        let rate = String(format: "%.1f s, %.1f pictures/s", seconds, Double(count) / seconds)
        let what = count == 1 ? "picture" : "pictures"
        let written = output.map { ", written to \($0)" } ?? ""
        Console.say("saccader-eval: \(count) \(what) in \(rate)\(written)")
    }
}
