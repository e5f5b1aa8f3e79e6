import ArgumentParser
import EvaluationCommand

/// `saccader-eval predict`
struct Predict: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "saccader-eval predict",
        abstract: "Says what is on pictures: a line a picture.",
        discussion: """
            A line has the file, its most probable classes, how many glimpses were taken and which \
            part of what the network was shown they saw, with tabs between. Pictures that cannot be \
            read are named, the others are predicted, and the program ends with 65.
            """)

    @OptionGroup var arguments: PredictionArguments

    func run() throws { try arguments.predict() }
}
