@testable import Images

/// 50 training, 21 development and 10 validation scenes of the demonstration.
public enum SmallData {
    /// Writes the set.
    public static func write(to folder: String) throws {
        var counts = DemonstrationSet.Counts()
        (counts.training, counts.development, counts.validation) = (50, 21, 10)
        try DemonstrationSet(seed: 3, counts: counts).write(to: folder) { _, _ in }
    }
}
