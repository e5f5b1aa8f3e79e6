import Foundation
import Tensors

/// One image file and its class.
public struct ImageEntry: Equatable, Sendable {
    /// The path below the data folder, for example `train/n01440764/x.JPEG`.
    public let name: String
    /// The label that the model predicts, counted from 0.
    public let label: Int32
}

/// The images of one subset.
public struct ImageSet: Sendable {
    /// The data folder.
    public let folder: String
    /// In byte order of their names; an image's place here is its identifier.
    public let entries: [ImageEntry]

    /// Names the images of a subset.
    public init(folder: String, entries: [ImageEntry]) {
        (self.folder, self.entries) = (folder, entries)
    }

    /// Where an image is.
    public func path(_ index: Int) -> String { "\(folder)/\(entries[index].name)" }
}

/// A folder in ImageNet's layout: `train/CLASS/*.JPEG`, `val/CLASS/*.JPEG` and, if it is there,
/// `dev/CLASS/*.JPEG`.
public struct ImageFolder: Sendable {
    /// The class folders' names in byte order; a class's place is its number.
    public let classes: [String]
    /// Images to train on.
    public let training: ImageSet
    /// Images to choose the best checkpoint with: never trained on.
    public let development: ImageSet
    /// Images to report on: never trained on, empty where there are none.
    public let validation: ImageSet

    /// Lists the folder.
    public init(_ path: String, configuration: DataConfiguration, seed: UInt64)
        throws(ImagesError)
    {
        let classes = try Self.subfolders("\(path)/train")
        self.classes = classes
        let shift: Int32 = configuration.backgroundClass ? 1 : 0
        let all = try Self.list(path, subset: "train", classes: classes, shift: shift)
        validation = try Self.listIfThere(path, subset: "val", classes: classes, shift: shift)
        let development = try Self.listIfThere(
            path, subset: "dev", classes: classes, shift: shift)
        guard development.entries.isEmpty else {
            (training, self.development) = (all, development)
            return
        }
        let held = Self.heldOut(
            all, fraction: configuration.developmentFraction, seed: seed)
        training = ImageSet(
            folder: path, entries: all.entries.filter { !held.contains($0.name) })
        self.development = ImageSet(
            folder: path, entries: all.entries.filter { held.contains($0.name) })
    }

    /// Lists one subset alone, for a tool that only evaluates; the images that are held out for
    /// development where there is no folder `dev`.
    public static func subset(
        _ subset: String, of path: String, configuration: DataConfiguration, seed: UInt64
    ) throws(ImagesError) -> (classes: [String], images: ImageSet) {
        let hasTraining = FileManager.default.fileExists(atPath: "\(path)/train")
        let hasSubset = FileManager.default.fileExists(atPath: "\(path)/\(subset)")
        if subset == "dev" && hasTraining && !hasSubset {
            let folder = try ImageFolder(path, configuration: configuration, seed: seed)
            return (folder.classes, folder.development)
        }
        let classes = try subfolders("\(path)/\(hasTraining ? "train" : subset)")
        let images = try list(
            path, subset: subset, classes: classes, shift: configuration.backgroundClass ? 1 : 0)
        return (classes, images)
    }

    /// Of each class the given part, by a hash of the file's name and the seed.
    private static func heldOut(_ set: ImageSet, fraction: Double, seed: UInt64) -> Set<String> {
        var held = Set<String>()
        for (_, images) in Dictionary(grouping: set.entries, by: \.label) {
            let ranked = images.map { entry in
                var random = CounterRandom(
                    seed: seed, purpose: .split, stream: nameHash(entry.name))
                return (random.next(), entry.name)
            }.sorted { $0 < $1 }
            let count = Int((Double(images.count) * fraction).rounded())
            held.formUnion(ranked.prefix(count).map { $0.1 })
        }
        return held
    }

    /// FNV-1a, which unlike Swift's hash is the same in every process.
    private static func nameHash(_ name: String) -> UInt64 {
        name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    private static func inByteOrder(_ names: [String]) -> [String] {
        names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func subfolders(_ path: String) throws(ImagesError) -> [String] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw .missingFolder(path: path)
        }
        let folders = names.filter {
            var isFolder: ObjCBool = false
            let exists = FileManager.default.fileExists(
                atPath: "\(path)/\($0)", isDirectory: &isFolder)
            return exists && isFolder.boolValue && !$0.hasPrefix(".")
        }
        if folders.isEmpty { throw .noImages(path: path) }
        return inByteOrder(folders)
    }

    private static func listIfThere(
        _ path: String, subset: String, classes: [String], shift: Int32
    ) throws(ImagesError) -> ImageSet {
        guard FileManager.default.fileExists(atPath: "\(path)/\(subset)") else {
            return ImageSet(folder: path, entries: [])
        }
        return try list(path, subset: subset, classes: classes, shift: shift)
    }

    private static func list(
        _ path: String, subset: String, classes: [String], shift: Int32
    ) throws(ImagesError) -> ImageSet {
        var entries: [ImageEntry] = []
        for folder in try subfolders("\(path)/\(subset)") {
            let name = "\(subset)/\(folder)"
            guard let number = classes.firstIndex(of: folder) else {
                throw .unknownClass(path: "\(path)/\(name)")
            }
            let files: [String]
            do {
                files = try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(name)")
            } catch {
                throw .missingFolder(path: "\(path)/\(name)")
            }
            let images = files.filter {
                let ending = ($0 as NSString).pathExtension.lowercased()
                return ending == "jpeg" || ending == "jpg"
            }
            for file in inByteOrder(images) {
                entries.append(
                    ImageEntry(name: "\(name)/\(file)", label: Int32(number) + shift))
            }
        }
        if entries.isEmpty { throw .noImages(path: "\(path)/\(subset)") }
        return ImageSet(folder: path, entries: entries)
    }
}
