import Checkpoints
import Foundation
import Layers
import Models
import Tensors

@testable import DRAMModel

/// One case of the file that an independent implementation wrote, and what the engine makes of it.
struct Fixture {
    let file: HDF5File
    let root: String
    let objective: String
    let configuration: DRAMConfiguration
    let settings: DRAMStageSettings
    let imageSize: Int

    /// Numbers as they are compared.
    struct Array {
        let shape: [Int]
        let values: [Double]
    }

    struct Missing: Error { let what: String }

    init(_ name: String) throws {
        guard
            let url = Bundle.module.url(
                forResource: "dram", withExtension: "h5", subdirectory: "Fixtures")
        else { throw Missing(what: "dram.h5") }
        file = try HDF5File.open(url.path)
        root = "/expected/\(name)"
        guard let objective = try file.text("objective", of: root),
            let set = try file.text("set", of: root), let config = try file.text("config")
        else { throw Missing(what: "attributes of \(name)") }
        self.objective = objective
        guard
            var tree = try JSONSerialization.jsonObject(with: Data(config.utf8))
                as? [String: Any]
        else { throw Missing(what: "config") }
        for assignment in try JSONDecoder().decode([String].self, from: Data(set.utf8)) {
            let parts = assignment.split(separator: "=").map(String.init)
            let path = parts[0].split(separator: ".").map(String.init)
            Self.set(Int(parts[1]) ?? parts[1] as Any, at: path[...], in: &tree)
        }
        configuration = try Self.decode(DRAMConfiguration(), over: tree["model"])
        let stages = tree["stages"] as? [String: Any]
        settings = try Self.decode(
            DRAMStageSettings(),
            over: stages?[objective == "dramPretrain" ? objective : "dram"])
        imageSize = (tree["data"] as? [String: Any])?["imageSize"] as? Int ?? 0
    }

    private static func set(_ value: Any, at path: ArraySlice<String>, in tree: inout [String: Any])
    {
        guard let key = path.first else { return }
        if path.count == 1 {
            tree[key] = value
        } else {
            var inner = tree[key] as? [String: Any] ?? [:]
            set(value, at: path.dropFirst(), in: &inner)
            tree[key] = inner
        }
    }

    /// Lays the file's settings over the defaults.
    private static func decode<Value: Codable>(_ defaults: Value, over tree: Any?) throws -> Value {
        func merged(_ base: Any, _ over: Any?) -> Any {
            guard let over else { return base }
            guard let base = base as? [String: Any], let over = over as? [String: Any]
            else { return over }
            return base.merging(over.map { ($0, merged(base[$0] as Any, $1)) }) { $1 }
        }
        let base = try JSONSerialization.jsonObject(with: JSONEncoder().encode(defaults))
        return try JSONDecoder().decode(
            Value.self, from: JSONSerialization.data(withJSONObject: merged(base, tree)))
    }

    func expected(_ name: String) throws -> [Double] { try file.doubles("\(root)/\(name)") }

    /// The model's numbers.
    func store(_ layout: ParameterLayout) throws -> ParameterStore {
        let store = ParameterStore(layout: layout, seed: 1)
        for parameter in layout.parameters {
            let values = try file.floats("/model/\(parameter.path)")
            guard try file.shape(of: "/model/\(parameter.path)") == parameter.shape else {
                throw Missing(what: parameter.path)
            }
            store.values(parameter).update(from: values, count: parameter.count)
        }
        for statistic in layout.statistics {
            let values = try file.floats("/model/\(statistic.path)")
            guard values.count == statistic.count else { throw Missing(what: statistic.path) }
            store.values(statistic).update(from: values, count: statistic.count)
        }
        return store
    }

    /// All arrays of the case by name.
    func run(shardSize: Int, threads: Int) throws -> [String: Array] {
        let model = DRAM<Float>(configuration, imageSize: imageSize)
        let store = try store(model.layout)
        let pool = ThreadPool(threadCount: threads)
        let images = try file.floats("/batch/images")
        let count = try file.shape(of: "/batch/images")[0]
        if objective == "dramInference" {
            let inference = DRAMInference(
                model, store: store, pool: pool, imageCapacity: count, shardSize: shardSize)
            let views = try inference(images, imageCount: count, glimpses: settings.glimpses)
            let predictions = views.flatMap {
                ($0.predictions(configuration.dram.prediction).last ?? []).map { Double($0) }
            }
            var arrays = Self.arrays(
                try inference.trace(images, imageCount: count, glimpses: settings.glimpses))
            arrays["prediction"] = Array(
                shape: [count, configuration.classes], values: predictions)
            return arrays
        }
        let shards = stride(from: 0, to: count, by: shardSize).map {
            $0..<min(count, $0 + shardSize)
        }
        let objective: any Objective =
            objective == "dram"
            ? DRAMObjective(
                model, settings: settings, imageCapacity: count, shardCapacity: shards.count,
                threadCount: threads)
            : DRAMPretrainObjective(
                model, settings: settings, imageCapacity: count, shardCapacity: shards.count,
                threadCount: threads)
        let pass = Pass(
            pool: pool, reducer: NoRanks(), store: store, workspace: objective.workspace,
            shards: shards, globalImageCount: count)
        let batch = TrainingBatch(
            images: images, labels: try file.integers("/batch/labels"),
            glimpses: .places(try file.floats("/batch/locations")))
        try objective.forward(batch, pass: pass)
        let report = try objective.loss(batch, pass: pass)
        var arrays = Self.arrays(objective.trace(imageCount: count))
        try objective.backward(batch, report, pass: pass)
        add(report, model: model, store: store, to: &arrays)
        return arrays
    }

    private static func arrays(_ traced: [TracedArray]) -> [String: Array] {
        var arrays: [String: Array] = [:]
        for array in traced {
            switch array.values {
            case .floats(let values):
                arrays[array.path] = Array(shape: array.shape, values: values.map { Double($0) })
            case .integers(let values):
                arrays[array.path] = Array(shape: array.shape, values: values.map { Double($0) })
            }
        }
        return arrays
    }

    /// Adds losses with their L2 terms, gradients and statistics.
    private func add(
        _ report: LossReport, model: DRAM<Float>, store: ParameterStore,
        to arrays: inout [String: Array]
    ) {
        let hasPolicy = objective == "dram"
        var penalty = (classification: 0.0, location: 0.0)
        for parameter in model.layout.parameters {
            let isLocation = parameter.group == .policy
            var gradient = (0..<parameter.count).map { Double(store.gradient(parameter)[$0]) }
            let values = (0..<parameter.count).map { Double(store.values(parameter)[$0]) }
            let factor = !parameter.decays ? 0 : isLocation ? settings.l2Location : settings.l2
            let square = 0.5 * factor * values.reduce(0) { $0 + $1 * $1 }
            if isLocation { penalty.location += square } else { penalty.classification += square }
            if hasPolicy || !isLocation {
                for index in values.indices { gradient[index] += factor * values[index] }
            }
            arrays["gradient/\(parameter.path)"] = Array(
                shape: parameter.shape, values: gradient)
        }
        for statistic in model.layout.statistics {
            arrays["statistics/\(statistic.path)"] = Array(
                shape: [statistic.count],
                values: (0..<statistic.count).map { Double(store.values(statistic)[$0]) })
        }
        arrays["loss/total"] = Array(
            shape: [],
            values: [
                report.total + penalty.classification + (hasPolicy ? penalty.location : 0)
            ])
        arrays["loss/crossEntropy"] = report.crossEntropy.map { Array(shape: [], values: [$0]) }
        arrays["loss/reinforce"] = report.reinforce.map { Array(shape: [], values: [$0]) }
        arrays["loss/l2"] = Array(shape: [], values: [penalty.classification])
        arrays["loss/l2Location"] = Array(shape: [], values: [penalty.location])
        arrays["baseline"] = report.baseline.map { Array(shape: [], values: [$0]) }
    }
}
