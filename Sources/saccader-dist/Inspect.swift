import ArgumentParser
import Evaluation
import Training

/// `saccader-dist inspect`
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says what a checkpoint holds and verifies its checksums.")

    @Argument(help: "The checkpoint (HDF5).")
    var checkpoint: String

    @Flag(help: "One JSON object instead of text.")
    var json = false

    func run() throws {
        let inspection = try Inspection(checkpoint)
        try Console.print(json ? inspection.json() : inspection.description)
    }
}
