import Foundation
import Images
import Models

/// What a prediction is told with in pictures: the picture itself with the glimpses, and the maps of
/// the policy.
public struct PredictionPictures {
    /// The names of a picture's files.
    public struct Names: Sendable {
        /// The picture with its glimpses.
        let glimpses: String
        /// The policy's maps; nil where there are none.
        let policy: String?
    }

    /// Letters of a picture's own name that its files' names keep.
    private static let longestStem = 80

    /// The files' names of a prediction; nil for a picture that cannot be read.
    ///
    /// The number in front keeps pictures of one name apart.
    static func names(_ prediction: Prediction) -> Names? {
        guard case .success(let answer) = prediction.answer else { return nil }
        let stem = (prediction.file.lastName as NSString).deletingPathExtension.map { letter in
            letter.isLetter || letter.isNumber || "-_.".contains(letter) ? letter : "_"
        }
        let start = String(format: "%06d-", prediction.number) + String(stem.prefix(longestStem))
        return Names(
            glimpses: "\(start).glimpses.png",
            policy: answer.map == nil ? nil : "\(start).policy.png")
    }

    /// The files of a prediction, drawn.
    static func files(
        _ prediction: Prediction, names: Names
    ) throws -> [ResultFolder.File] {
        guard case .success(let answer) = prediction.answer else { return [] }
        let pixels = try prediction.file.pixels(prediction.data)
        var files = [
            ResultFolder.File(
                names.glimpses, try PredictedPicture(pixels, answer: answer).png())
        ]
        if let name = names.policy, let map = answer.map, let png = try maps(answer, map) {
            files.append(ResultFolder.File(name, png))
        }
        return files
    }

    /// The policy glimpse by glimpse, on what the network was shown.
    private static func maps(
        _ answer: Prediction.Answer, _ map: PolicyMap
    ) throws -> Data? {
        let size = answer.crop.size
        let best = answer.candidates.first
        let shown = Pixels(
            height: size, width: size,
            bytes: Preparation.unstandardized(answer.values).map { UInt8(($0 * 255).rounded()) })
        let row = HeatMapSheet.Row(
            pixels: shown, caption: best?.name.title ?? "", windows: answer.windows, map: map)
        return try HeatMapSheet([row], glimpses: answer.glimpses).png()
    }
}
