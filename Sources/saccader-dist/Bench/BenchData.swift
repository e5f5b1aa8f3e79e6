import ArgumentParser
import Collectives
import Evaluation
import Foundation
import Images
import Training

/// `saccader-dist bench data`
struct BenchData: Benchmark {
    static let configuration = CommandConfiguration(
        commandName: "data",
        abstract: "Times reading, decoding, cropping and resizing of training images.",
        discussion: """
            The same batches that training takes, without a step that uses them: the first does \
            not count.
            """)

    @Option(help: "A folder in ImageNet's layout or an index of `dataset index`.")
    var data: String

    @Option(help: "The side of the images that the model sees, in pixels.")
    var size = 224

    @Option(help: "Images of one batch.")
    var batch = 32

    @Option(help: "Threads that decode; left out: this rank's share of the cores.")
    var threads: Int?

    @Option(help: "Batches that count.")
    var steps = 50

    @Flag(help: "One JSON object on one line.")
    var json = false

    func validate() throws {
        let numbers = [
            ("size", size), ("batch", batch), ("threads", threads ?? 1), ("steps", steps),
        ]
        for (name, value) in numbers where value < 1 {
            throw ValidationError("--\(name) is \(value): give at least 1")
        }
    }

    func report(_ communicator: any Communicator) throws -> String {
        var settings = DataConfiguration()
        settings.imageSize = size
        settings.workers = threads ?? Cores.share(ofRanks: communicator.size)
        let images = try ImageDataset(data, configuration: settings, seed: 0).training
        let (batch, count) = (batch, images.entries.count)
        let first = communicator.rank * batch
        let order = EpochOrder(count: count, seed: 0, stream: 0)
        let loader = BatchLoader(images, configuration: settings, seed: 0) { number in
            BatchRequest(
                entries: (0..<batch).map {
                    order[(number * batch * communicator.size + first + $0) % count]
                }, augmentation: UInt64(number))
        }
        _ = try loader.next()
        let start = Date()
        for _ in 0..<steps { _ = try loader.next() }
        let seconds = Date().timeIntervalSince(start)
        let rate = Double(batch * steps) / seconds
        let perCore = rate / Double(settings.workers)
        if json {
            return String(
                format: #"{"imagesPerSecond": %.2f, "imagesPerSecondPerThread": %.2f, "#
                    + #""imageSize": %d, "batch": %d, "ranks": %d, "threads": %d}"#,
                rate, perCore, size, batch, communicator.size, settings.workers)
        }
        return String(
            format: "%.0f images/s on each of %d ranks, %.0f for each of %d threads",
            rate, communicator.size, perCore, settings.workers)
    }
}
