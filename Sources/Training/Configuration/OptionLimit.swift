import Families
import Models

/// The most that options of the command line may ask for, like the settings in whose place they
/// stand.
public enum OptionLimit {
    /// The limits by the option's name, without its dashes.
    public static let byName = [
        "threads": CountRange.threads.upperBound, "size": CountRange.imageSize.upperBound,
        "batch": CountRange.images.upperBound,
    ]
}
