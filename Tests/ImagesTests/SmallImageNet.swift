import Foundation
import TestSupport
import Testing

@testable import Images

/// Where a fixture is.
func fixture(_ name: String) throws -> String {
    let url = Bundle.module.resourceURL?.appendingPathComponent("Fixtures/\(name)")
    return try #require(url).path
}

/// The bytes of a fixture.
func fixtureBytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: fixture(name))))
}

/// Small photographs in all the shapes that ImageNet comes in: folders, archives, flat validation
/// images with the development kit.
final class SmallImageNet {
    /// In the order of their ILSVRC2012_ID, as in the fixture `meta.mat`.
    static let classes = ["n03000684", "n01443537", "n02105855", "n01440764"]
    private static let photos = ["chelsea.jpg", "coffee.jpg", "rocket.jpg", "astronaut.jpg"]
    static let trainingCount = 24
    static let validationCount = 10

    let folder: TemporaryFolder
    /// Names and bytes of the training images, by class.
    private(set) var training: [(className: String, name: String, bytes: [UInt8])] = []
    /// Names, ILSVRC2012_ID and bytes of the validation images, in their order.
    private(set) var validation: [(name: String, identifier: Int, bytes: [UInt8])] = []

    init() throws {
        folder = try TemporaryFolder()
        let photos = try Self.photos.map { try fixtureBytes($0) }
        for (number, name) in Self.classes.enumerated() {
            for image in 0..<6 {
                // Trailing bytes make each file another one; decoders stop at the end mark.
                let bytes =
                    photos[(number + image) % photos.count]
                    + [UInt8](repeating: UInt8(number), count: image + 1)
                training.append((name, "\(name)_\(image * 37 % 11).JPEG", bytes))
            }
        }
        for image in 1...Self.validationCount {
            let identifier = image * 3 % 4 + 1
            let bytes = photos[image % photos.count] + [UInt8](repeating: 9, count: image)
            let digits = String(image)
            let padding = String(repeating: "0", count: 8 - digits.count)
            validation.append(("ILSVRC2012_val_\(padding)\(digits).JPEG", identifier, bytes))
        }
    }

    func path(_ name: String) -> String { folder.path(name) }

    func write(_ bytes: [UInt8], to name: String) throws {
        let path = path(name)
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent,
            withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    /// `ROOT/train/CLASS/*.JPEG`, `ROOT/val/CLASS/*.JPEG`, or `ROOT/val/*.JPEG`.
    func writeFolders(_ root: String, isFlat: Bool = false) throws {
        for image in training {
            try write(image.bytes, to: "\(root)/train/\(image.className)/\(image.name)")
        }
        for image in validation {
            let folder = isFlat ? "" : "/\(Self.classes[image.identifier - 1])"
            try write(image.bytes, to: "\(root)/val\(folder)/\(image.name)")
        }
    }

    /// The three official archives.
    func writeArchives(_ root: String, meta: String = "meta.mat") throws {
        let inner = Self.classes.sorted().map { name in
            let members = training.filter { $0.className == name }
                .map { (name: $0.name, content: $0.bytes) }
            return (name: "\(name).tar", content: Archives.tar(members))
        }
        try write(Archives.tar(inner), to: "\(root)/ILSVRC2012_img_train.tar")
        let images = validation.map { (name: $0.name, content: $0.bytes) }
        try write(Archives.tar(images), to: "\(root)/ILSVRC2012_img_val.tar")
        let kit = "ILSVRC2012_devkit_t12"
        let members = [
            (name: "\(kit)/readme.txt", content: Array("A development kit".utf8)),
            (name: "\(kit)/data/meta.mat", content: try fixtureBytes(meta)),
            (name: "\(kit)/data/\(Self.truthName)", content: Array(groundTruth.utf8)),
        ]
        try write(Archives.gzip(Archives.tar(members)), to: "\(root)/\(kit).tar.gz")
    }

    static let truthName = "ILSVRC2012_validation_ground_truth.txt"

    /// An ILSVRC2012_ID a line.
    var groundTruth: String { validation.map { "\($0.identifier)\n" }.joined() }

    /// Indexes `paths`, which are below the folder.
    func index(
        _ paths: [String], output: String, _ change: (inout IndexBuilder.Options) -> Void = { _ in }
    ) throws -> IndexSummary {
        var options = IndexBuilder.Options(
            paths: paths.map { path($0) }, output: path(output))
        options.developmentFraction = 0.34
        change(&options)
        return try IndexBuilder(options).run { _ in }
    }

    /// Opens a folder or an index.
    func open(_ name: String) throws -> ImageDataset {
        var settings = DataConfiguration()
        settings.developmentFraction = 0.34
        return try ImageDataset(path(name), configuration: settings, seed: 0)
    }
}

/// All that a data set holds: each image's subset, name, label and bytes.
struct Content: Equatable {
    struct Image: Equatable {
        let entry: ImageEntry
        let bytes: [UInt8]
    }
    var images: [Subset: [Image]] = [:]
    var classes: [String] = []

    init(_ dataset: ImageDataset) throws {
        classes = dataset.classes
        for subset in Subset.allCases {
            let set = dataset[subset]
            images[subset] = try set.entries.indices.map { place in
                var bytes: [UInt8] = []
                try set.read(place, into: &bytes)
                return Image(entry: set.entries[place], bytes: bytes)
            }
        }
    }
}
