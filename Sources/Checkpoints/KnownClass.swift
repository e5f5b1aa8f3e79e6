import Foundation

/// A class that a model tells apart: what one of its logits stands for.
///
/// A checkpoint's root attribute `classes` is a JSON list of these in the order of the logits:
/// `[{"name": "n01440764", "words": "tench"}, …]`. A logit that no class of the data had a use for
/// has an empty name.
public struct KnownClass: Codable, Equatable, Sendable {
    /// The name of the class's folder, for example ImageNet's synset.
    public var name: String
    /// What people call it; the name where nobody said.
    public var words: String

    /// What logit 0 stands for where `data.backgroundClass` is on: no image shows it.
    public static let background = KnownClass("background")

    /// A logit without a class.
    public static let none = KnownClass("")

    /// Names a class.
    public init(_ name: String, words: String? = nil) {
        (self.name, self.words) = (name, words ?? name)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        words = try container.decodeIfPresent(String.self, forKey: .words) ?? name
    }

    /// The list as the text of the attribute.
    public static func json(_ classes: [KnownClass]) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return String(decoding: try encoder.encode(classes), as: UTF8.self) } catch {
            preconditionFailure("two texts can be encoded: \(error)")
        }
    }

    /// The list of an attribute's text.
    ///
    /// - Parameter path: Of the checkpoint, for errors.
    static func list(json: String, path: String) throws(CheckpointError) -> [KnownClass] {
        do { return try JSONDecoder().decode([KnownClass].self, from: Data(json.utf8)) } catch {
            throw .damaged(
                path: path,
                what: "attribute classes is no JSON list of classes with name and words")
        }
    }
}
