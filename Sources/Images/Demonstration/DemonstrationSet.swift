import Files
import Foundation
import Tensors

/// The built-in demonstration: scenes of real handwritten digits, in ImageNet's folder layout.
///
/// Evidence lies in two places, so a policy that stays at the strongest one fails at few glimpses.
public struct DemonstrationSet: Sendable {
    /// Scenes of each subset.
    public struct Counts: Sendable {
        let training: Int
        let development: Int
        let validation: Int

        /// Counts scenes: those of the demonstration, or fewer for a test.
        public init(training: Int = 8000, development: Int = 1000, validation: Int = 1000) {
            (self.training, self.development) = (training, development)
            self.validation = validation
        }
    }

    /// Changes when the scenes of a seed would.
    static let version = 1
    private static let quality = 95

    private let seed: UInt64
    private let counts: Counts
    private let size: SceneSize

    /// The set of a seed, its pictures in a size.
    public init(seed: UInt64, counts: Counts = Counts(), size: SceneSize = .small) {
        (self.seed, self.counts, self.size) = (seed, counts, size)
    }

    /// What a complete folder says about itself.
    private var mark: String {
        "{\"demonstration\": \(Self.version), \"seed\": \(seed), \"training\": "
            + "\(counts.training), \"development\": \(counts.development), \"validation\": "
            + "\(counts.validation)\(sizeMark)}\n"
    }

    /// Left out for small pictures: their sets are older than sizes.
    private var sizeMark: String {
        size == .small ? "" : ", \"imageSize\": \(size.rawValue)"
    }

    /// Whether `folder` already holds this set, complete.
    public func isComplete(in folder: String) -> Bool {
        FileManager.default.contents(atPath: "\(folder)/dataset.json") == Data(mark.utf8)
    }

    /// Writes the set; a folder that holds it already is left as it is.
    ///
    /// It is written beside the folder and then renamed, so it is there completely or not at all.
    ///
    /// - Parameter progress: Told how many of how many scenes are written.
    public func write(
        to folder: String, progress: (_ done: Int, _ of: Int) -> Void
    ) throws(ImagesError) {
        if isComplete(in: folder) { return }
        let manager = FileManager.default
        let exists = manager.fileExists(atPath: folder)
        // Removes empty folders only; whatever else is there is somebody's.
        if exists && rmdir(folder) != 0 { throw .occupied(path: folder) }
        let temporary = "\(folder).\(ProcessInfo.processInfo.processIdentifier).tmp"
        do {
            try writeScenes(to: temporary, progress: progress)
        } catch {
            removeLeftovers(temporary)
            throw error
        }
        do {
            try manager.moveItem(atPath: temporary, toPath: folder)
        } catch {
            removeLeftovers(temporary)
            // Another run, of another seed perhaps, has made the same meanwhile.
            if isComplete(in: folder) { return }
            throw .unwritable(path: folder, reason: error.localizedDescription)
        }
    }

    private func removeLeftovers(_ folder: String) {
        // The error that led here is the one to report; leftovers have a name that says so.
        do { try FileManager.default.removeItem(atPath: folder) } catch {}
    }

    private func writeScenes(
        to folder: String, progress: (Int, Int) -> Void
    ) throws(ImagesError) {
        let digits = try Digits()
        let encoder = JPEGEncoder()
        // Subsets share no digit: the first 400, the next 50 and the last 50 of each class.
        let subsets = [
            ("train", counts.training, 0..<400), ("dev", counts.development, 400..<450),
            ("val", counts.validation, 450..<500),
        ]
        let total = counts.training + counts.development + counts.validation
        var (done, lines) = (0, "")
        for (number, (subset, count, part)) in subsets.enumerated() {
            for scene in 0..<count {
                let pair = scene % Scene.pairs.count
                let (first, second) = Scene.pairs[pair]
                var random = CounterRandom(
                    seed: seed, purpose: .scene, stream: UInt64(number), index: UInt64(scene))
                let drawn = Scene(pair: pair, part: part, random: &random)
                let digitsOfNumber = String(scene)
                let padding = String(repeating: "0", count: max(0, 5 - digitsOfNumber.count))
                let name =
                    "\(subset)/digits-\(first)-\(second)/scene-\(padding)\(digitsOfNumber).JPEG"
                let path = "\(folder)/\(name)"
                try ImagesError.of(try AtomicFile.createFolder(path.parentFolder))
                try encoder.encode(
                    drawn.pixels(at: size, digits: digits), quality: Self.quality, to: path)
                let places = drawn.places(at: size).map { "[\($0.y), \($0.x)]" }.joined(
                    separator: ", ")
                lines += "{\"image\": \"\(name)\", \"places\": [\(places)]}\n"
                done += 1
                progress(done, total)
            }
        }
        for (name, text) in [(KnownPlaces.fileName, lines), ("dataset.json", mark)] {
            try ImagesError.of(try AtomicFile.write("\(folder)/\(name)", text: text))
        }
    }
}
