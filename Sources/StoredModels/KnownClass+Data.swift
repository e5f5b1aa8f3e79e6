import Checkpoints
import Images
import Terminal

extension KnownClass {
    /// The classes of a data set, in the order of their numbers there, as checkpoints hold them.
    public static func all(in dataset: ImageDataset) throws(RequestError) -> [KnownClass] {
        let words = try dataset.folder.map { folder throws(RequestError) in
            try ClassWords(folder: folder)
        }
        return zip(dataset.classes, dataset.words).map { name, known in
            KnownClass(name, words: known == name ? words?.word(name) : known)
        }
    }

    /// What the logits of a model stand for that is trained on a data set.
    ///
    /// - Parameters:
    ///   - background: Whether logit 0 is the background.
    ///   - count: The logits; those beyond the data's classes stand for none.
    public static func logits(
        of dataset: ImageDataset, background: Bool, count: Int
    ) throws(RequestError) -> [KnownClass] {
        let known = (background ? [.background] : []) + (try all(in: dataset))
        return known + Array(repeating: .none, count: max(0, count - known.count))
    }
}

extension [KnownClass] {
    /// The first logit that stands for another class in a list of as many; nil where there is none
    /// or nobody knows.
    public func firstDifference(from other: [KnownClass]?) -> Int? {
        guard let other, other.count == count else { return nil }
        return indices.first { self[$0].name != other[$0].name }
    }

    /// What tables and pictures call the classes: the first of their words, with the name where two
    /// have one word (ImageNet's two cranes).
    public var titles: [String] {
        let words = enumerated().map { place, known in
            known.name.isEmpty
                ? "class \(place)"
                : known.words == known.name
                    ? known.name : String(known.words.prefix { $0 != "," })
        }
        return ClassWords.distinct(words, of: map(\.name))
    }
}
