import ArgumentParser
import Terminal
import Training

/// `saccader-dist inspect`
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says what a checkpoint holds and verifies its checksums.")

    @Argument(help: "The checkpoint (HDF5).")
    var checkpoint: String

    @Flag(help: "One JSON object instead of text.")
    var json = false

    @Flag(help: "Takes arrays that do not match their checksums: you have edited them.")
    var acceptEdited = false

    func run() throws {
        let inspection = try Inspection(checkpoint, acceptsEdited: acceptEdited)
        if let warning = inspection.warning { Console.say("saccader-dist: warning: \(warning)") }
        try Console.print(json ? inspection.json() : inspection.description)
    }
}
