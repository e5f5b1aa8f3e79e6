import ArgumentParser
import Training

/// Options that count something.
enum Positive {
    /// Refuses what is less than 1 or absurdly much, by the option's name.
    static func require(_ options: KeyValuePairs<String, Int?>) throws {
        for (name, value) in options {
            guard let value else { continue }
            if value < 1 { throw ValidationError("--\(name) is \(value): give at least 1") }
            if let most = OptionLimit.byName[name], value > most {
                throw ValidationError("--\(name) is \(value): give at most \(most)")
            }
        }
    }
}
