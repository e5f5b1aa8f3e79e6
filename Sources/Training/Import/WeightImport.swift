import Checkpoints
import Configuration
import Families
import Foundation
import Host
import Layers
import Models
import Safetensors
import StoredModels
import Tensors
import Terminal

/// Public weights in a safetensors file, on their way into a checkpoint.
public struct WeightImport {
    /// What is asked for beside the file.
    public struct Options: Sendable {
        /// c of the checkpoint; nil: as many as the file has.
        public var classes: Int?
        /// Whether the logits start anew where the classes are others.
        public var startsLogits = false
        /// The scale of pixels that the weights expect.
        public var pixels = PixelScale(mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5])
        /// `key=value`, beyond what the shapes say.
        public var overrides: [String] = []

        /// The file's classes, and pixels from −1 to 1.
        public init() {}
    }

    private let file: SafetensorsFile
    private let rules: PublicWeights
    /// The arrays by the path below `/model`.
    private let arrays: [String: (array: SafetensorsFile.Array, order: PublicWeights.Order)]
    private let configuration: RunConfiguration
    private let store: ParameterStore
    private let startsLogits: Bool
    /// Whether the file lacks the background class, which comes first here.
    private let addsBackground: Bool
    /// Arrays that were passed over: they count batches.
    public let droppedCount: Int

    /// The names of all rules.
    public static var names: [String] { Families.publicWeights.map(\.name) }

    /// Opens a file and checks that it holds all that a model needs, and nothing else.
    public init(_ path: String, as name: String, options: Options) throws {
        guard let rules = Families.publicWeights.first(where: { $0.name == name }) else {
            throw RequestError(
                "--as \(name): choose from \(Self.names.joined(separator: ", "))")
        }
        self.rules = rules
        if let problem = options.pixels.problem {
            throw RequestError("--\(problem.key): \(problem.message)")
        }
        file = try Self.open(path)
        func misfit(_ reason: String) -> RequestError {
            RequestError("\(path): \(reason)", exitCode: .badData)
        }
        let found = file.arrays.filter { !PublicWeights.isCounter($0.name) }
        droppedCount = file.arrays.count - found.count
        let (settings, fileClasses): ([String], Int)
        do {
            (settings, fileClasses) = try rules.settings(
                Dictionary(uniqueKeysWithValues: found.map { ($0.name, $0.shape) }))
        } catch {
            throw misfit(error.reason)
        }
        let classes = options.classes ?? fileClasses
        addsBackground = classes == fileClasses + 1 && !options.startsLogits
        startsLogits = options.startsLogits && classes != fileClasses
        guard classes == fileClasses || addsBackground || startsLogits else {
            throw misfit(
                "has \(fileClasses) classes, --classes is \(classes): give \(fileClasses), "
                    + "\(fileClasses + 1) for a background class, or --new-logits to start the "
                    + "logits anew")
        }
        let pixels = [
            "\(rules.pixelKey).mean=\(options.pixels.mean)",
            "\(rules.pixelKey).deviation=\(options.pixels.deviation)",
        ]
        configuration = try RunConfiguration.read(
            .defaults,
            overrides: settings + pixels
                + [
                    "model.classes=\(classes)",
                    "data.backgroundClass=\(classes == fileClasses + 1)",
                ] + options.overrides)
        let family = Families.family(of: rules.stage)
        let size = configuration.data.imageSize
        if let problem = configuration.model.problem(of: family, imageSize: size) {
            throw misfit("\(problem.key) \(problem.message)")
        }
        let layout = configuration.model.model(of: family, imageSize: size).layout
        try HostMemory.requireMemory(for: layout)
        var arrays: [String: (SafetensorsFile.Array, PublicWeights.Order)] = [:]
        var others: [String] = []
        for array in found {
            if let place = rules.place(array.name), layout.contains(place.path) {
                arrays[place.path] = (array, place.order)
            } else {
                others.append(array.name)
            }
        }
        let wanted = layout.parameters.map(\.path) + layout.statistics.map(\.path)
        let missing = wanted.filter { arrays[$0] == nil }
        if !missing.isEmpty {
            throw misfit(
                "lacks \(Self.list(missing)): give the whole state of a \(rules.example)")
        }
        if !others.isEmpty {
            throw misfit(
                "has \(Self.list(others)), which a \(rules.example) does not have: give the weights "
                    + "of such a model")
        }
        self.arrays = arrays
        store = ParameterStore(layout: layout, seed: configuration.seed)
    }

    /// Opens a file of any weights and checks its whole form.
    static func open(_ path: String) throws -> SafetensorsFile {
        guard FileManager.default.fileExists(atPath: path) else {
            throw RequestError(
                "\(path): no such file; give weights in a safetensors file",
                exitCode: .missingInput)
        }
        do {
            return try SafetensorsFile(path)
        } catch {
            throw RequestError("\(error)", exitCode: .badData)
        }
    }

    /// The first three of some names, and how many there are.
    static func list(_ names: [String]) -> String {
        let first = names.prefix(3).joined(separator: ", ")
        return names.count > 3 ? "\(first) and \(names.count - 3) more" : first
    }

    /// Reads all numbers and writes the checkpoint, at once or not at all.
    public func write(to output: String) throws {
        for parameter in store.layout.parameters {
            try fill(parameter.path, shape: parameter.shape, store.values(parameter))
        }
        for statistic in store.layout.statistics {
            let values = store.values(statistic)
            try fill(statistic.path, shape: [statistic.count], values)
            let negative = (0..<statistic.count).first { values[$0] < 0 }
            if statistic.path.hasSuffix("/variance"), let index = negative {
                throw misfit("\(name(statistic.path)) has a variance of \(values[index])")
            }
        }
        try Checkpoint.write(
            to: output,
            header: CheckpointHeader(
                config: try configuration.tree().json(),
                family: Families.family(of: rules.stage).name, stage: rules.stage.name, step: 0,
                epoch: 0, samples: 0, seed: Int(truncatingIfNeeded: configuration.seed),
                worldSize: 1, program: Program.version),
            arrays: store.checkpointArrays())
    }

    private func misfit(_ reason: String) -> RequestError {
        RequestError("\(file.path): \(reason)", exitCode: .badData)
    }

    private func name(_ path: String) -> String { arrays[path]?.array.name ?? path }

    private func fill(
        _ path: String, shape: [Int], _ target: UnsafeMutablePointer<Float>
    ) throws {
        guard let (array, order) = arrays[path] else {
            preconditionFailure("\(path) was there when the file was opened")
        }
        let isLogits = path.hasPrefix("\(rules.logitsPath)/")
        if isLogits && startsLogits { return }
        // Without the background class, which the file lacks.
        var inner = shape
        if isLogits && addsBackground { inner[shape.count - 1] -= 1 }
        let wanted = order.publicShape(inner, found: array.shape.count)
        guard array.shape == wanted else {
            throw misfit("\(array.name): found \(array.shape), wanted \(wanted)")
        }
        let values: [Float]
        do {
            values = try file.floats(array)
        } catch {
            throw RequestError("\(error)", exitCode: .badData)
        }
        let columns = shape[shape.count - 1]
        let skipped = columns - inner[inner.count - 1]
        order.forEach(shape: inner) { source, row, column in
            target[row * columns + column + skipped] = values[source]
        }
        guard skipped > 0 else { return }
        // The softmax is then as without it.
        let background: Float = path.hasSuffix("/bias") ? -100 : 0
        for row in 0..<(shape.reduce(1, *) / columns) { target[row * columns] = background }
    }
}

extension PublicWeights.Order {
    /// The shape of an array in a public file.
    ///
    /// - Parameters:
    ///   - shape: The parameter's shape in this program.
    ///   - count: Dimensions in the file: kernels of 1×1 have two or four.
    func publicShape(_ shape: [Int], found count: Int) -> [Int] {
        switch self {
        case .vector: shape
        case .depthwise: [shape[2], 1, shape[0], shape[1]]
        case .kernel:
            count == 2 && shape[0] == 1 && shape[1] == 1
                ? [shape[3], shape[2]] : [shape[3], shape[2], shape[0], shape[1]]
        }
    }

    /// Calls `body` for each number: its place in the file, and row and column here, where columns
    /// are the last dimension.
    func forEach(shape: [Int], _ body: (_ source: Int, _ row: Int, _ column: Int) -> Void) {
        switch self {
        case .vector: for index in 0..<shape[0] { body(index, 0, index) }
        case .depthwise:
            let (taps, channels) = (shape[0] * shape[1], shape[2])
            for channel in 0..<channels {
                for tap in 0..<taps { body(channel * taps + tap, tap * channels + channel, 0) }
            }
        case .kernel:
            let (taps, inputs, outputs) = (shape[0] * shape[1], shape[2], shape[3])
            for output in 0..<outputs {
                for input in 0..<inputs {
                    for tap in 0..<taps {
                        body(
                            (output * inputs + input) * taps + tap, tap * inputs + input, output)
                    }
                }
            }
        }
    }
}
