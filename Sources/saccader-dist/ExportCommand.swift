import ArgumentParser
import Evaluation
import Training

/// `saccader-dist export`
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes a checkpoint's model for PyTorch.",
        discussion: """
            The folder then holds model.safetensors, the weights with all that the checkpoint says of
            itself; saccader.py, the networks, policies and preprocessing in one file that needs PyTorch
            (and Pillow to read pictures); and README.md, a model card. Files that are there already are
            never replaced. `saccader-dist import` makes a checkpoint of the weights again.
            """)

    @Argument(help: "The checkpoint (HDF5).")
    var checkpoint: String

    @Option(help: "The folder to write.")
    var output: String

    @Flag(
        help: "Takes the moving average below /ema; left out, what evaluation reads: /model.")
    var ema = false

    func run() throws {
        let export = try ModelExport(checkpoint, average: ema)
        if let warning = export.warning { Console.say("saccader-dist: warning: \(warning)") }
        for path in try export.write(to: output) { Console.say("\(path): written") }
    }
}
