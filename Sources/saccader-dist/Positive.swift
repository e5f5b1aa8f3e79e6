import ArgumentParser

/// Options that count something.
enum Positive {
    /// Refuses what is less than 1, by the option's name.
    static func require(_ options: KeyValuePairs<String, Int?>) throws {
        for (name, value) in options {
            if let value, value < 1 {
                throw ValidationError("--\(name) is \(value): give at least 1")
            }
        }
    }
}
