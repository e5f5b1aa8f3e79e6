import Models
import Terminal

/// A model that says nothing of an image: among its logits are numbers that are not finite.
public struct LogitsError: ProgramError {
    /// The image, as its data set names it.
    let image: String

    /// One line: what, where, what to do next.
    public var description: String {
        "\(image): the model's logits are not finite numbers, so that it predicts nothing; its "
            + "parameters are too large: give an earlier checkpoint, or train with a smaller "
            + "learning rate"
    }

    /// The fault is in the checkpoint.
    public var exitCode: ExitCode { .badData }

    /// Refuses a view with such logits.
    static func check(_ view: ModelOutput, image: String) throws(LogitsError) {
        let logits = [view.whole ?? []] + view.sequences.values.joined().flatMap(\.predictions)
        guard logits.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
            throw LogitsError(image: image)
        }
    }
}
