import Images

/// 50 training, 21 development and 10 validation scenes of the demonstration.
public enum SmallData {
    /// Writes the set.
    public static func write(to folder: String) throws {
        let counts = DemonstrationSet.Counts(training: 50, development: 21, validation: 10)
        try DemonstrationSet(seed: 3, counts: counts).write(to: folder) { _, _ in }
    }
}
