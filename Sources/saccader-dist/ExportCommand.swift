import ArgumentParser
import EvaluationCommand
import Terminal
import Training

/// `saccader-dist export`
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes a checkpoint's model for PyTorch or ONNX.",
        discussion: """
            With --format pytorch the folder then holds model.safetensors, the weights with
            all that the checkpoint says of itself; saccader.py, the networks, policies and
            preprocessing in one file that needs PyTorch (and Pillow to read pictures); and
            README.md, a model card. `saccader-dist import` makes a checkpoint of the
            weights again. Files that are there already are never replaced.

            With --format onnx it holds model.onnx, which answers as the evaluation does:
            the learned policy's glimpses, its loop unrolled, choices and scaling of pixels
            inside; classifier.onnx, the network without attention, where that is another
            one; and README.md.
            """)

    @Argument(help: "The checkpoint (HDF5).")
    var checkpoint: String

    @Option(help: "The folder to write.")
    var output: String

    @Flag(
        help: "Takes the moving average below /ema; left out, what evaluation reads: /model.")
    var ema = false

    @Option(help: "What the folder is for.")
    var format = ExportFormat.pytorch

    @Option(help: "Glimpses of an ONNX graph (default: as in training).")
    var glimpses: Int?

    func validate() throws {
        try OptionRange.require(["glimpses": glimpses])
        if glimpses != nil && format != .onnx {
            throw ValidationError("--glimpses goes with --format onnx; other files take any number")
        }
    }

    func run() throws {
        let export = try ModelExport(checkpoint, average: ema)
        if let warning = export.warning { Console.say("saccader-dist: warning: \(warning)") }
        for path in try export.write(to: output, as: format, glimpses: glimpses) {
            Console.say("\(path): written")
        }
    }
}

extension ExportFormat: ExpressibleByArgument {}
