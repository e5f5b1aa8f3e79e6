import Checkpoints
import Configuration
import Families
import Foundation
import Host
import Layers
import Models
import Safetensors
import StoredModels
import Terminal

/// An exported model, perhaps trained further elsewhere, on its way back into a checkpoint.
public struct ExportedImport {
    private let file: SafetensorsFile
    private let header: CheckpointHeader
    private let store: ParameterStore

    /// Opens a file, checks that it holds all that its model needs, and nothing else, and reads it.
    public init(_ path: String) throws {
        file = try WeightImport.open(path)
        func misfit(_ reason: String) -> RequestError {
            RequestError("\(path): \(reason)", exitCode: .badData)
        }
        guard file.metadata["config"] != nil else {
            throw misfit(
                "has no metadata of saccader-dist export: keep them when you save it (saccader.save), or "
                    + "say what it is with --as \(WeightImport.names.joined(separator: "|"))")
        }
        do throws(ExportMetadata.Problem) {
            header = try ExportMetadata(file.metadata).header()
        } catch {
            throw misfit("its metadata \(error.reason)")
        }
        guard let stage = Families.stage(named: header.stage) else {
            throw misfit("was written in a stage \"\(header.stage)\", which is unknown")
        }
        let family = Families.family(of: stage)
        guard header.family == family.name else {
            throw misfit(
                "says it is of the family \(header.family ?? "") and of stage \(stage.name) of "
                    + family.name)
        }
        let settings: CheckpointSettings
        do {
            settings = try Self.settings(header.config, path: path)
        } catch let error as ConfigurationError {
            throw misfit("its config is impossible: \(error)")
        }
        let size = settings.data.imageSize
        if let problem = settings.model.problem(of: family, imageSize: size)
            ?? settings.data.problem?.below("data")
        {
            throw misfit("its config is impossible: \(problem.key) \(problem.message)")
        }
        let model = settings.model.model(of: family, imageSize: size)
        if let count = header.classes?.count, count != model.classes {
            throw misfit("names \(count) classes, but its model has \(model.classes)")
        }
        try HostMemory.requireMemory(for: model.layout)
        store = ParameterStore(layout: model.layout, seed: settings.seed)
        try fill()
    }

    private static func settings(_ config: String, path: String) throws -> CheckpointSettings {
        var tree = try ConfigurationTree(
            defaults: CheckpointSettings(), choices: CheckpointSettings.choices)
        try tree.overlay(yaml: config, source: "\(path): config", ignoringUnknown: true)
        var settings = try tree.decode(CheckpointSettings.self)
        settings.model.join(settings.glimpse, patchImageSize: settings.data.patchImageSize)
        return settings
    }

    private func fill() throws {
        func misfit(_ reason: String) -> RequestError {
            RequestError("\(file.path): \(reason)", exitCode: .badData)
        }
        let layout = store.layout
        let targets =
            layout.parameters.map { ($0.path, $0.shape, store.values($0)) }
            + layout.statistics.map { ($0.path, [$0.count], store.values($0)) }
        var arrays: [String: SafetensorsFile.Array] = [:]
        for array in file.arrays where !PublicWeights.isCounter(array.name) {
            arrays[array.name] = array
        }
        let missing = targets.map { ExportedArray.name($0.0) }.filter { arrays[$0] == nil }
        if !missing.isEmpty {
            throw misfit("lacks \(WeightImport.list(missing)), which its config asks for")
        }
        let wanted = Set(targets.map { ExportedArray.name($0.0) })
        let others = arrays.keys.filter { !wanted.contains($0) }.sorted()
        if !others.isEmpty {
            throw misfit("has \(WeightImport.list(others)), which its config does not ask for")
        }
        for (path, shape, values) in targets {
            guard let array = arrays[ExportedArray.name(path)] else { continue }
            let expected = ExportedArray.shape(path, shape)
            guard array.shape == expected else {
                throw misfit("\(array.name): found \(array.shape), wanted \(expected)")
            }
            let numbers: [Float]
            do {
                numbers = try file.floats(array)
            } catch {
                throw RequestError("\(error)", exitCode: .badData)
            }
            if path.hasSuffix("/variance"), let negative = numbers.first(where: { $0 < 0 }) {
                throw misfit("\(array.name) has a variance of \(negative)")
            }
            values.update(
                from: ExportedArray.imported(path, shape: shape, numbers), count: numbers.count)
        }
    }

    /// Writes the checkpoint, at once or not at all.
    public func write(to output: String) throws {
        try Checkpoint.write(to: output, header: header, arrays: store.checkpointArrays())
    }
}
