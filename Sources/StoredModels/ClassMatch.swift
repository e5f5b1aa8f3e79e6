import Checkpoints
import Images
import Terminal

/// Which logits a data set's classes belong to: matched by name, never by position.
public struct ClassMatch: Sendable {
    /// What the logits stand for, in their order; words are the data's where it has some.
    public let classes: [KnownClass]
    /// The logit of each of the data's classes.
    public let labels: [Int32]
    /// What the user should know, a line each.
    public let warnings: [String]

    /// Matches the classes of a data set with those of a checkpoint.
    ///
    /// - Parameters:
    ///   - model: What the checkpoint's logits stand for; nil where it does not say: then position
    ///     decides, which is told.
    ///   - classCount: The logits.
    ///   - background: Whether logit 0 is the background.
    ///   - checkpoint: Its path, for messages.
    ///   - data: The path of the data set, for messages.
    public init(
        _ model: [KnownClass]?, classCount: Int, background: Bool, of checkpoint: String,
        with dataset: ImageDataset, at data: String
    ) throws(RequestError) {
        let found = try KnownClass.all(in: dataset)
        guard let model else {
            self = try Self.byPosition(
                found, classCount: classCount, background: background, of: checkpoint, data: data)
            return
        }
        var warnings: [String] = []
        let places: [Int]
        if let numbered = Self.labelNumbers(found, model: model) {
            places = numbered.places
            warnings.append(
                "\(data): folders \(found.first?.name ?? "")…\(found.last?.name ?? "") are taken as "
                    + "label numbers of the model's \(numbered.count) synsets")
        } else {
            places = try Self.byName(found, model: model, of: checkpoint, data: data)
            if zip(places, places.dropFirst()).contains(where: { $0 > $1 }) {
                warnings.append(
                    "\(data): has its classes in another order than \(checkpoint): matched by name")
            }
        }
        warnings += Self.lacking(model, but: Set(places), data: data)
        labels = places.map { Int32($0) }
        self.warnings = warnings
        var classes = model
        for (known, place) in zip(found, places)
        where known.words != known.name && known.name == model[place].name {
            classes[place].words = known.words
        }
        self.classes = classes
    }

    private init(classes: [KnownClass], labels: [Int32], warnings: [String]) {
        (self.classes, self.labels, self.warnings) = (classes, labels, warnings)
    }

    /// Matches by position, as checkpoints were used before they held names.
    private static func byPosition(
        _ found: [KnownClass], classCount: Int, background: Bool, of checkpoint: String,
        data: String
    ) throws(RequestError) -> ClassMatch {
        let first = background ? 1 : 0
        guard found.count + first == classCount else {
            throw RequestError(
                "\(data): has \(found.count + first) classes"
                    + (background ? " with the background" : "")
                    + ", but \(checkpoint) was trained on \(classCount), and is of an earlier "
                    + "program that kept no names to match by; give the folder with its classes",
                exitCode: .badData)
        }
        return ClassMatch(
            classes: (background ? [.background] : []) + found,
            labels: found.indices.map { Int32($0 + first) },
            warnings: [
                "\(checkpoint): is of an earlier program and holds no names of classes: its logits "
                    + "are taken for the data's classes in byte order, so that a renamed folder "
                    + "would go unnoticed"
            ])
    }

    private static func byName(
        _ found: [KnownClass], model: [KnownClass], of checkpoint: String, data: String
    ) throws(RequestError) -> [Int] {
        // A folder may be called "background" beside the background that no image shows: the later
        // one is meant.
        let places = Dictionary(
            model.enumerated().filter { !$1.name.isEmpty }.map { ($1.name, $0) },
            uniquingKeysWith: { $1 })
        let unknown = found.filter { places[$0.name] == nil }
        if let first = unknown.first {
            let more = unknown.count - 1
            throw RequestError(
                "\(data): class \(first.name)"
                    + (more > 0 ? " and \(more) more are" : " is") + " unknown to \(checkpoint), "
                    + "which has \(shortList(model.map(\.name).filter { !$0.isEmpty })); give "
                    + "folders the names that they had in training, or train on new classes with "
                    + "saccader-dist train --init-from \(checkpoint)",
                exitCode: .badData)
        }
        return found.compactMap { places[$0.name] }
    }

    /// ImageNet-V2 names its folders by the number of the class among the synsets in order.
    ///
    /// - Returns: The logits, and how many synsets there are; nil where names are no numbers or the
    ///   model's classes are no synsets.
    private static func labelNumbers(
        _ found: [KnownClass], model: [KnownClass]
    ) -> (places: [Int], count: Int)? {
        let synsets = model.enumerated().filter { isSynset($1.name) }
            .sorted { $0.element.name < $1.element.name }
        let others = model.filter { !isSynset($0.name) && !$0.name.isEmpty && $0 != .background }
        guard !synsets.isEmpty, others.isEmpty else { return nil }
        let numbers = found.compactMap { known in
            Int(known.name).flatMap {
                synsets.indices.contains($0) && "\($0)" == known.name ? $0 : nil
            }
        }
        guard numbers.count == found.count else { return nil }
        return (numbers.map { synsets[$0].offset }, synsets.count)
    }

    /// WordNet's numbers of nouns, as ImageNet names classes.
    private static func isSynset(_ name: String) -> Bool {
        name.utf8.count == 9 && name.hasPrefix("n")
            && name.utf8.dropFirst().allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            }
    }

    private static func lacking(
        _ model: [KnownClass], but places: Set<Int>, data: String
    ) -> [String] {
        let missing = model.enumerated().filter { place, known in
            !places.contains(place) && !known.name.isEmpty && known != .background
        }
        if missing.isEmpty { return [] }
        return [
            "\(data): lacks \(missing.count) of the model's classes: "
                + shortList(missing.map(\.element.name))
        ]
    }

    /// A few names, and how many more there are.
    public static func shortList(_ names: [String]) -> String {
        let more = names.count - 10
        return names.prefix(10).joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
    }
}
