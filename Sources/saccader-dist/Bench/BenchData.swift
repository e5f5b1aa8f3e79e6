import ArgumentParser
import Collectives
import EvaluationCommand
import Foundation
import Host
import Images
import Terminal
import Training

/// `saccader-dist bench data`
struct BenchData: Benchmark {
    static let configuration = CommandConfiguration(
        commandName: "data",
        abstract: "Times reading, decoding, cropping and resizing of training images.",
        discussion: """
            The same batches that training takes, without a step that uses them: the first does \
            not count. Beside seconds on the clock it counts seconds on a core, of all threads.
            """)

    @Option(help: "A folder in ImageNet's layout or an index; left out: the settings' data.path.")
    var data: String?

    @Option(help: "Settings (YAML), of which `data` and `seed` count; left out: the defaults.")
    var config: String?

    @Option(name: .customLong("set"), help: "A setting that replaces the file's: key.path=value.")
    var overrides: [String] = []

    @Option(help: "The side of the images that the model sees; left out: the settings' imageSize.")
    var size: Int?

    @Option(help: "Images of one batch.")
    var batch = 32

    @Option(help: "Threads that decode; left out: this rank's share of the cores.")
    var threads: Int?

    @Option(help: "Batches that count.")
    var steps = 50

    @Flag(help: "One JSON object on one line.")
    var json = false

    func validate() throws {
        try OptionRange.require([
            "size": size, "batch": batch, "threads": threads, "steps": steps,
        ])
        if data == nil && config == nil {
            throw ValidationError("--data: name the images, or settings with --config")
        }
    }

    func report(_ communicator: any Communicator) throws -> String {
        let run = try RunConfiguration.read(
            config.map { .file($0) } ?? .defaults, overrides: overrides)
        var settings = run.data
        settings.imageSize = size ?? settings.imageSize
        settings.workers = threads ?? Cores.share(ofRanks: communicator.size)
        let images = try ImageDataset(
            data ?? settings.path, configuration: settings, seed: run.seed
        ).training
        let (batch, count) = (batch, images.entries.count)
        let first = communicator.rank * batch
        let order = EpochOrder(count: count, seed: run.seed, stream: 0)
        let loader = BatchLoader(images, configuration: settings, seed: run.seed) { number in
            BatchRequest(
                entries: (0..<batch).map {
                    order[(number * batch * communicator.size + first + $0) % count]
                }, augmentation: UInt64(number))
        }
        _ = try loader.next()
        let (start, before) = (Date(), ProcessUsage().cpuSeconds)
        for _ in 0..<steps { _ = try loader.next() }
        let seconds = Date().timeIntervalSince(start)
        let usage = ProcessUsage()
        let rate = Double(batch * steps) / seconds
        let perCore = Double(batch * steps) / (usage.cpuSeconds - before)
        if json {
            let line: JSONLine = [
                "imagesPerSecond": rate, "imagesPerCoreSecond": perCore,
                "imageSize": settings.imageSize, "batch": batch, "ranks": communicator.size,
                "threads": settings.workers, "peakMemoryBytes": usage.peakByteCount,
            ]
            return line.json
        }
        return String(
            format: "%.0f images/s on each of %d ranks with %d threads, %.0f per second on a core",
            rate, communicator.size, settings.workers, perCore)
    }
}
