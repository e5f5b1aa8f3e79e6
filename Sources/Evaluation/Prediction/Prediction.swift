import Images
import Models

/// What a model says of one picture.
public struct Prediction: Sendable {
    /// A class and how probable the model takes it to be.
    struct Candidate: Sendable {
        let label: Int
        let name: LogitNames.Name
        /// The probability, in millionths.
        let probability: Int

        var part: Double { Double(probability) / Double(Confidence.unit) }
    }

    /// What came of a picture that could be read.
    struct Answer: Sendable {
        /// The most probable classes, the first first.
        let candidates: [Candidate]
        /// How many glimpses were taken; 0 where a model takes none.
        let glimpses: Int
        /// The part of what the network was shown that they saw: 1 without glimpses.
        let coverage: Double
        /// Which part of the picture the network was shown.
        let crop: ImageCrop
        /// The picture's height, in pixels.
        let height: Int
        /// The picture's width, in pixels.
        let width: Int
        /// What the glimpses saw, in pixels of what the network was shown.
        let windows: [Window]
        /// What was seen before the first glimpse in low resolution.
        let context: [Window]
        /// Whether pictures join the windows' middles by a line.
        let showsPath: Bool
        /// Where the policy wants to look; nil where there is no map or it was not asked for.
        let map: PolicyMap?
        /// What the network was shown, `[size, size, 3]`, standardised.
        let values: [Float]

        /// How many glimpses, in words.
        var glimpsesInWords: String { glimpses == 1 ? "1 glimpse" : "\(glimpses) glimpses" }

        /// A window in pixels of the picture.
        func box(_ window: Window) -> Canvas.Box {
            Canvas.Box(
                x: crop.box.x + Double(window.columns.lowerBound) * crop.scale.x,
                y: crop.box.y + Double(window.rows.lowerBound) * crop.scale.y,
                width: Double(window.columns.count) * crop.scale.x,
                height: Double(window.rows.count) * crop.scale.y)
        }
    }

    /// Counted from 1, in the order of the source.
    let number: Int
    let file: PictureFile
    /// How it was decoded.
    let data: DataConfiguration
    let answer: Result<Answer, ImagesError>

    /// What was wrong with a picture that cannot be read.
    public var problem: ImagesError? {
        if case .failure(let error) = answer { return error }
        return nil
    }
}
