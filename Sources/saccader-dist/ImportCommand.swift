import ArgumentParser
import EvaluationCommand
import Models
import Terminal
import Training

/// `saccader-dist import`
struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Makes a checkpoint of exported weights, or of such that others publish.",
        discussion: """
            Without --as the weights are a safetensors file that `saccader-dist export` wrote, or that
            the exported saccader.py saved. With --as they have timm's names, for example
              model = timm.create_model("nasnetalarge.tf_in1k", pretrained=True)
              safetensors.torch.save_file(model.state_dict(), "nasnet.safetensors")
            With --as nasnet the checkpoint is one to begin the stage glimpse with, with --as
            resnetv2 one of the stage classifier, which judges occluded images.
            """)

    @Argument(help: "The weights (safetensors).")
    var weights: String

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp(
            "What they are, if not exported: \(WeightImport.names.joined(separator: " or ")).",
            valueName: "network"))
    var network: String?

    @Option(help: "The checkpoint to write (HDF5).")
    var output: String

    @Option(
        help: "Classes of the checkpoint; one more than the file has makes class 0 background.")
    var classes: Int?

    @Flag(help: "Starts the logits anew where the classes are others.")
    var newLogits = false

    @Option(help: "The mean of pixels in [0, 1] that the weights expect, as red,green,blue.")
    var mean = Self.scale

    @Option(help: "Their deviation.")
    var deviation = Self.scale

    private static let scale = "0.5,0.5,0.5"

    func validate() throws {
        try OptionRange.require(["classes": classes])
        let isPlain = classes == nil && !newLogits && mean == Self.scale && deviation == Self.scale
        if network == nil && !isPlain {
            throw ValidationError(
                "--classes, --new-logits, --mean and --deviation go with --as; an exported file says "
                    + "all of it itself")
        }
    }

    func run() throws {
        guard let network else {
            try ExportedImport(weights).write(to: output)
            return Console.say("\(output): written")
        }
        var options = WeightImport.Options()
        (options.classes, options.startsLogits) = (classes, newLogits)
        options.pixels.mean = try numbers(mean, "mean")
        options.pixels.deviation = try numbers(deviation, "deviation")
        let weights = try WeightImport(weights, as: network, options: options)
        try weights.write(to: output)
        Console.say("\(output): written; \(weights.droppedCount) counters of batches left out")
    }

    private func numbers(_ text: String, _ option: String) throws -> [Double] {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false)
            .map { Double($0) }
        guard numbers.count == 3, !numbers.contains(nil) else {
            throw RequestError("--\(option) \(text): give three numbers, as 0.5,0.5,0.5")
        }
        return numbers.compactMap { $0 }
    }
}
