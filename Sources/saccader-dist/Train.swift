import ArgumentParser
import Collectives
import EvaluationCommand
import Families
import Models
import Terminal
import Training

/// `saccader-dist train`
struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains the stages in order, on all ranks that mpirun started.",
        discussion: """
            Without --config it trains the built-in demonstration, whose images it makes if they \
            are missing. Started again with the same --output it goes on where it was.
            """)

    @Option(help: "Settings (YAML; a pipe with one rank); left out: the built-in demonstration.")
    var config: String?

    @Option(name: .customLong("set"), help: "A setting that replaces the file's: key.path=value.")
    var overrides: [String] = []

    @Option(help: "The folder for checkpoints, metrics and the resolved settings.")
    var output = "runs/train"

    @Option(
        help: ArgumentHelp(
            "The stages to train, in order.",
            discussion: """
                Stages of one model go into one output folder; each of these lists is a model of its \
                own: \(Families.all.map { $0.stages.map(\.stage.name).joined(separator: ",") }
                    .joined(separator: "; ")).
                """))
    var stages = "representation,location,joint"

    @Option(
        help: ArgumentHelp(
            "auto, never, or a checkpoint to start from.",
            discussion: """
                auto goes on from the newest checkpoint in the output folder, if there is one; never \
                refuses a folder that has one. With a checkpoint of another run, this one starts \
                there, and goes on from its own newest one once it has one; with one of its own it \
                goes back to that.
                """))
    var resume = "auto"

    @Option(
        help: ArgumentHelp(
            "A checkpoint whose weights a new run begins with: fine-tuning.",
            discussion: """
                Takes every array of equal name and shape, and the logits of classes of equal name; \
                no momentum, and step 0. Once the run has checkpoints of its own it goes on from \
                those.
                """, valueName: "checkpoint"))
    var initFrom: String?

    @Option(help: "float32 or bfloat16; left out: the setting `precision`.")
    var precision: Precision?

    @Option(help: "At most this many steps of each stage, counted over resumes.")
    var maxSteps: Int?

    @Option(help: "Saves and ends with exit code 75 after this long: seconds, 45m, 2h, 1-12:00:00.")
    var timeLimit: String?

    @Option(help: "Ends the job, naming the rank, when nothing has moved on for this long.")
    var stallTimeout = "5m"

    @Option(
        help: "Threads of each rank; left out: this rank's share of the cores or of their quota.")
    var threads: Int?

    @Flag(
        name: .customLong("validate"),
        help: "Checks settings, data and memory, prints the resolved settings, trains nothing.")
    var onlyValidates = false

    @Flag(help: "Goes on from a checkpoint whose arrays you have edited with another program.")
    var acceptEdited = false

    @Flag(help: "Writes for TensorBoard too, into OUTPUT/tensorboard: log.tensorboard=true.")
    var tensorboard = false

    @Option(
        help: ArgumentHelp(
            "A file that gets the latest figures in Prometheus's text format.",
            discussion: """
                For node_exporter's textfile collector, which reads names that end in .prom.
                """, valueName: "file"))
    var prometheus: String?

    @Flag(help: "No progress bar.")
    var quiet = false

    func validate() throws {
        try OptionRange.require(["threads": threads, "max-steps": maxSteps])
        if let initFrom, resume != "auto" && resume != "never" {
            throw ValidationError(
                "--init-from \(initFrom) and --resume \(resume) both say where to begin: give one")
        }
        if output.isEmpty { throw ValidationError("--output is empty: name a folder") }
        if prometheus?.isEmpty == true {
            throw ValidationError("--prometheus is empty: name a file")
        }
    }

    /// `--stall-timeout`, before anyone could be told that it makes no sense.
    private var launchTimeout: Double {
        do { return try CommandDuration.seconds(stallTimeout, option: "--stall-timeout") } catch {
            return 300
        }
    }

    private var allOverrides: [String] {
        overrides + Precision.override(precision) + (tensorboard ? ["log.tensorboard=true"] : [])
    }

    func run() throws {
        // First of all: to start the ranks of many hosts takes a while, and a scheduler may be in a hurry.
        if !onlyValidates { Signals.shared.listen() }
        let watch = try LaunchWatch(timeout: launchTimeout, report: Failure.endLaunch)
        let communicator = try MPICommunicator.launch()
        watch?.end()
        if communicator.size > 1 { LastWords.prepare(rank: communicator.rank) }
        do {
            let trainer = try Trainer.start(
                TrainingOptions(
                    configurationPath: config, overrides: allOverrides, output: output,
                    stages: stages, resume: resume, initialWeights: initFrom,
                    maximumSteps: maxSteps, threadCount: threads,
                    timeLimit: try timeLimit.map {
                        try CommandDuration.seconds($0, option: "--time-limit")
                    },
                    stallTimeout: try CommandDuration.seconds(
                        stallTimeout, option: "--stall-timeout"),
                    isQuiet: quiet, onlyValidates: onlyValidates, acceptsEdited: acceptEdited,
                    prometheusPath: prometheus),
                communicator: communicator,
                onStall: { Failure.end($0, on: communicator, isSoleSpeaker: true) })
            if onlyValidates { try trainer.validate() } else { try trainer.run() }
            try communicator.finish()
        } catch let stop as TrainingError where stop.exitCode == .stopped {
            // All ranks come here together: nobody is left in a collective. What is to be said
            // comes first: mpirun ends the other ranks as soon as one has gone.
            if communicator.rank == 0 { Failure.say(stop) }
            try communicator.finish()
            throw ArgumentParser.ExitCode(stop.exitCode.rawValue)
        } catch {
            Failure.end(error, on: communicator)
        }
    }
}
