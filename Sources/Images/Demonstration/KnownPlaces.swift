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
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        var places: [String: [[Int]]] = [:]
        let decoder = JSONDecoder()
        do {
            for line in data.split(separator: UInt8(ascii: "\n")) {
                let entry = try decoder.decode(Line.self, from: Data(line))
                places[entry.image] = entry.places
            }
        } catch {
            throw .unreadable(path: path, reason: "a line is not {\"image\", \"places\"}")
        }
        self.places = places
    }

    /// The places of an image, (y, x) in pixels of the file; empty where none are known.
    public func places(of name: String) -> [(y: Int, x: Int)] {
        (places[name] ?? []).compactMap { $0.count == 2 ? ($0[0], $0[1]) : nil }
    }
}
