import ArgumentParser
import EvaluationCommand
import Families
import Terminal
import Training

/// `saccader-dist dataset show`
struct DatasetShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Draws training images as the network is going to see them.",
        discussion: """
            A sheet (PNG) with a row for each image: as evaluation sees it, then with the random \
            crop, flip and colours that it has in each of a stage's first epochs: the very pixels of \
            a run with these settings, at any number of ranks.
            """)

    @Option(help: "Settings (YAML), as train takes them; left out: the defaults.")
    var config: String?

    @Option(name: .customLong("set"), help: "A setting that replaces the file's: key.path=value.")
    var overrides: [String] = []

    @Option(help: "A folder or an index of images; left out: the setting data.path.")
    var data: String?

    @Option(
        help: "The stage whose epochs are shown: \(Families.stageNames.joined(separator: ", ")).")
    var stage = Families.stageNames[0]

    @Option(help: "Images, evenly spread over the training set.")
    var images = 8

    @Option(help: "Epochs.")
    var epochs = 6

    @Option(help: "The PNG file to write.")
    var output: String

    /// What a sheet has room for.
    private static let (mostImages, mostEpochs) = (64, 24)

    func validate() throws {
        try OptionRange.require(["images": images], most: Self.mostImages)
        try OptionRange.require(["epochs": epochs], most: Self.mostEpochs)
        if output.isEmpty { throw ValidationError("--output is empty: name a file") }
    }

    func run() throws {
        let pictures = try TrainingPictures(
            configurationPath: config, overrides: overrides, data: data, stage: stage)
        try Console.print(pictures.write(to: output, count: images, epochs: epochs))
    }
}
