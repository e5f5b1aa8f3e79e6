import Foundation
import Models
import Terminal

/// What a model in training looks at: sheets of a few images, small enough to be made often.
public struct PictureSheets {
    /// A picture of some images.
    public struct Sheet {
        /// `glimpses` or `policy`.
        public let name: String
        /// The file.
        public let png: Data
        /// The width, in pixels.
        public let width: Int
        /// The height, in pixels.
        public let height: Int
    }

    /// Images whose policy is shown.
    private static let mapRows = 3

    private let pictured: [PicturedImage]
    private let policy: Policy
    private let glimpses: Int
    private let classes: [String]

    /// Takes the images with a policy's first glimpses.
    ///
    /// - Parameter classes: The word for each label.
    public init(_ pictured: [PicturedImage], policy: Policy, glimpses: Int, classes: [String]) {
        (self.pictured, self.policy) = (pictured, policy)
        (self.glimpses, self.classes) = (glimpses, classes)
    }

    /// Numbered glimpses on the images, and where the policy has a map of places, that.
    public func sheets() throws(RequestError) -> [Sheet] {
        let pictures = [
            (
                "glimpses",
                try ContactSheet(pictured, policy: policy, glimpses: glimpses, classes: classes)
                    .png()
            ),
            (
                "policy",
                try HeatMapSheet(
                    Array(pictured.prefix(Self.mapRows)), glimpses: glimpses, classes: classes
                ).png()
            ),
        ]
        return pictures.compactMap { name, png in png.map { Self.sheet(name, $0) } }
    }

    /// The sides stand in a PNG file's first chunk, big-endian.
    private static func sheet(_ name: String, _ png: Data) -> Sheet {
        func number(_ place: Int) -> Int {
            png.dropFirst(place).prefix(4).reduce(0) { $0 << 8 | Int($1) }
        }
        return Sheet(name: name, png: png, width: number(16), height: number(20))
    }
}
