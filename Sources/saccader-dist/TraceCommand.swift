import ArgumentParser
import EvaluationCommand
import Training

/// `saccader-dist trace`
struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Computes one step on a given batch and writes every named array.",
        discussion: """
            For comparing with another implementation. The batch file holds /batch/images
            [B,H,W,3], standardised, /batch/labels [B] and, for joint, /batch/locations [S,B,T];
            for glimpse, /batch/patchImages [B,S,S,3] where S is another size, and
            /batch/locations [B,T].
            A stage's step is computed in the setting `precision`, inference in float32.
            """)

    @Argument(help: "The checkpoint (HDF5).")
    var checkpoint: String

    @Option(
        help: ArgumentHelp(
            "One of \(TraceObjective.names.joined(separator: ", ")).", valueName: "objective"))
    var objective: TraceObjective

    @Option(help: "The HDF5 file to write.")
    var output: String

    @Option(help: "The HDF5 file with /batch; left out: the checkpoint holds it.")
    var batch: String?

    @Option(name: .customLong("set"), help: "A setting that replaces the checkpoint's: key=value.")
    var overrides: [String] = []

    @Flag(help: "Takes arrays that do not match their checksums: you have edited them.")
    var acceptEdited = false

    @Option(help: "Where glimpseInference looks: learned, or batch for /batch/locations.")
    var places = Places.learned

    /// Where a model in inference mode looks.
    enum Places: String, CaseIterable, ExpressibleByArgument {
        /// Where its policy goes.
        case learned
        /// Where the batch says.
        case batch
    }

    @Option(help: "Threads.")
    var threads = 1

    func validate() throws { try OptionRange.require(["threads": threads]) }

    func run() throws {
        let trace = try Trace(
            checkpointPath: checkpoint, batchPath: batch, overrides: overrides,
            threadCount: threads, acceptsEdited: acceptEdited)
        try trace.write(objective, takesPlaces: places == .batch, to: output)
    }
}

extension TraceObjective: ExpressibleByArgument {
    public init?(argument: String) { self.init(named: argument) }

    public static var allValueStrings: [String] { names }
}
