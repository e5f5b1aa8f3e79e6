import Configuration
import Evaluation
import Families
import Files
import Foundation
import Images
import Models

/// A picture of training images as the network is going to see them.
public struct TrainingPictures {
    private let configuration: RunConfiguration
    private let stage: Stage
    private let data: ImageDataset

    /// Opens the images of a run's settings.
    ///
    /// - Parameters:
    ///   - configurationPath: YAML; nil: nothing but the defaults.
    ///   - overrides: `key.path=value`.
    ///   - data: A folder or an index; nil: the setting's.
    ///   - stage: Whose epochs are shown, by its name.
    public init(
        configurationPath: String?, overrides: [String], data path: String?, stage: String
    ) throws {
        self.stage = try Trainer.stages(stage)[0]
        var configuration = try RunConfiguration.read(
            configurationPath.map { .file($0) } ?? .defaults, overrides: overrides,
            for: [self.stage])
        if let path { configuration.data.path = path }
        guard !configuration.data.path.isEmpty else {
            throw ConfigurationError(
                key: "data.path", "is empty: name a folder or an index of images (--data)")
        }
        self.configuration = configuration
        data = try ImageDataset(
            configuration.data.path, configuration: configuration.data, seed: configuration.seed)
    }

    /// Writes a sheet: a row an image, first as in evaluation, then as in the stage's first epochs.
    ///
    /// - Parameters:
    ///   - count: Images, evenly spread over the set.
    ///   - epochs: How many of them.
    /// - Returns: What the sheet shows, in words.
    public func write(to path: String, count: Int, epochs: Int) throws -> String {
        let images = data.training
        let all = images.entries.count
        let entries = (0..<min(count, all)).map { $0 * all / min(count, all) }
        let keys = [nil] + (0..<epochs).map { UInt64(stage.stream) << 32 | UInt64($0) }
        let loader = BatchLoader(
            images, configuration: configuration.data, seed: configuration.seed
        ) { number in
            number < keys.count ? BatchRequest(entries: entries, augmentation: keys[number]) : nil
        }
        var columns: [[Pixels]] = []
        while let batch = try loader.next() { columns.append(pixels(batch)) }
        let rows = entries.indices.map { row in
            PictureGrid.Row(
                columns.map { $0[row] }, caption: caption(images.entries[entries[row]].name))
        }
        let headings = ["evaluation"] + (0..<epochs).map { "epoch \($0 + 1)" }
        guard let png = try PictureGrid(headings: headings, rows: rows).png() else {
            throw ImagesError.noImages(path: "\(configuration.data.path)/train")
        }
        try AtomicFile.write(path, data: png)
        return "\(path): \(entries.count) of \(all) training images as evaluation sees them and in "
            + "the first \(epochs) epochs of stage \(stage.name)"
    }

    /// The folder's and the file's name, the folder's in words where they are known.
    private func caption(_ name: String) -> String {
        let parts = name.split(separator: "/").map(String.init)
        guard parts.count > 2, let place = data.classes.firstIndex(of: parts[1]) else {
            return name
        }
        return ([data.words[place]] + parts.dropFirst(2)).joined(separator: "/")
    }

    private func pixels(_ batch: ImageBatch) -> [Pixels] {
        let size = configuration.data.imageSize
        let length = size * size * 3
        return batch.entries.indices.map { index in
            let part = Array(batch.images[(index * length)..<((index + 1) * length)])
            return Pixels(
                height: size, width: size,
                bytes: Preparation.unstandardized(part).map { UInt8(($0 * 255).rounded()) })
        }
    }
}
