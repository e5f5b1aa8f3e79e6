import Families
import Foundation

extension MetricsValue {
    /// The value as a number; nil for words.
    var number: Double? {
        switch self {
        case .text: nil
        case .integer(let value): Double(value)
        case .number(let value): value
        }
    }

    /// What a line of the log says, in the order of the keys; nil where it is not whole.
    static func fields(ofLine line: Substring) -> [(String, MetricsValue)]? {
        do {
            return try JSONDecoder().decode([String: Self].self, from: Data(line.utf8))
                .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        } catch {
            return nil
        }
    }
}

extension MetricsValue: Decodable {
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            // What was not finite stands as null.
            self = .number(.nan)
            return
        }
        do { self = .number(try container.decode(Double.self)) } catch {
            self = .text(try container.decode(String.self))
        }
    }
}

extension Position {
    /// The place that a line of the log speaks of; nil where it speaks of none.
    init?(_ fields: [(String, MetricsValue)]) {
        var (stage, step): (String?, Double?)
        for (key, value) in fields {
            if key == "stage", case .text(let name) = value { stage = name }
            if key == "step" { step = value.number }
        }
        guard let stage = stage.flatMap(Families.stage(named:)), let step = step.flatMap(Int.init)
        else { return nil }
        self.init(stage: stage, step: step)
    }
}
