import Foundation

/// Where the evidence lies in each image of a data set that knows it: the demonstration's digits.
public struct KnownPlaces: Sendable {
    static let fileName = "places.jsonl"
    private let places: [String: [[Int]]]

    private struct Line: Decodable {
        let image: String
        let places: [[Int]]
    }

    /// Reads a data folder's side file; nil where there is none.
    public init?(folder: String) throws(ImagesError) {
        let path = "\(folder)/\(Self.fileName)"
        let bytes: [UInt8]
        do throws(ImagesError) {
            let file = try ByteFile(path)
            bytes = try file.bytes(at: 0, count: file.size)
        } catch .missing {
            return nil
        }
        let text = try TextFile.text(bytes, path: path)
        var places: [String: [[Int]]] = [:]
        let decoder = JSONDecoder()
        for line in text.split(whereSeparator: \.isNewline) {
            let entry: Line
            do {
                entry = try decoder.decode(Line.self, from: Data(line.utf8))
            } catch {
                throw Self.damage(path, "a line is not {\"image\", \"places\"}: \(line.prefix(60))")
            }
            guard entry.places.allSatisfy({ $0.count == 2 }) else {
                throw Self.damage(path, "\(entry.image) has a place that is not [y, x]")
            }
            if let other = places.updateValue(entry.places, forKey: entry.image),
                other != entry.places
            {
                throw Self.damage(path, "gives two lists of places of \(entry.image)")
            }
        }
        self.places = places
    }

    private static func damage(_ path: String, _ what: String) -> ImagesError {
        .damaged(path: path, what: what, remedy: "repair it or move it out of the data folder")
    }

    /// The places of an image, (y, x) in pixels of the file; empty where none are known.
    public func places(of name: String) -> [(y: Int, x: Int)] {
        (places[name] ?? []).map { ($0[0], $0[1]) }
    }
}
