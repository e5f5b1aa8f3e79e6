import ArgumentParser
import Models

/// Options that count something.
public enum OptionRange {
    /// The most that options may ask for, by their names without dashes, like the settings in whose
    /// place they stand.
    private static let most = [
        "threads": CountRange.threads.upperBound, "batch": CountRange.images.upperBound,
        "size": CountRange.imageSize.upperBound, "image-size": CountRange.imageSize.upperBound,
    ]

    /// Refuses what is less than `least`, or absurdly much: a slip of the finger is not to take all
    /// memory.
    public static func require(
        _ options: KeyValuePairs<String, Int?>, least: Int = 1, most: Int = .max
    ) throws {
        for (name, value) in options {
            guard let value else { continue }
            if value < least {
                throw ValidationError("--\(name) is \(value): give at least \(least)")
            }
            let most = min(most, Self.most[name] ?? .max)
            if value > most {
                throw ValidationError("--\(name) is \(value): give at most \(most)")
            }
        }
    }
}
