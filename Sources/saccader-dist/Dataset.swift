import ArgumentParser
import Images
import Terminal

extension SceneSize: ExpressibleByArgument {}

/// `saccader-dist dataset`
struct Dataset: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes data sets and shows them.",
        subcommands: [Demo.self, DatasetIndex.self, DatasetShow.self])

    /// `saccader-dist dataset demo`
    struct Demo: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Writes the demonstration: scenes of two handwritten digits, as JPEG files.",
            discussion: """
                10,000 scenes of 64×64 or 128×128 pixels in ImageNet's folder layout (train, dev, val), the \
                digits' places in places.jsonl. A folder that holds the set already is left as is.
                """)

        @Option(help: "The folder to write.")
        var output: String

        @Option(help: "From which all scenes follow.")
        var seed: UInt64 = 0

        @Option(
            help: """
                64 or 128 pixels a side; the scenes of 64 are scaled copies of those of 128, which serve a second \
                network on patches.
                """)
        var size = SceneSize.small

        @Flag(help: "No progress bar.")
        var quiet = false

        func run() throws {
            let bar = ProgressBar(
                "scenes", total: 10_000, unit: "scenes", style: .fitting(isQuiet: quiet))
            try DemonstrationSet(seed: seed, size: size).write(to: output) { done, _ in
                bar.update(done)
            }
            bar.finish()
            try Console.print("demonstration set: \(output)")
        }
    }
}
