import ArgumentParser
import Images

/// The words that say which part of a picture the model is shown.
public struct FramingArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Evaluation shows the central size/(size + margin) of the shorter side.",
            discussion: "Left out: data.centralCropMargin of the training. 0: of pictures that are "
                + "cropped already.", valueName: "pixels"))
    var centralCropMargin: Int?

    @Option(help: "crop (the central square) or whole (all of it, brought to a square).")
    var resize = Framing.crop

    /// The parser fills the values in.
    public init() {}

    public func validate() throws {
        try OptionRange.require(["central-crop-margin": centralCropMargin], least: 0, most: 8192)
    }
}

extension Framing: ExpressibleByArgument {}
