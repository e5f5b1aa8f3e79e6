import Checkpoints
import Families
import Files
import Foundation
import Images
import Models
import ONNXGraphs
import Safetensors
import StoredModels
import Terminal

/// A checkpoint on its way into a folder for PyTorch or ONNX: weights or graphs, program and model
/// card.
public struct ModelExport {
    /// What tells of a checkpoint that another program has opened for writing; else nil.
    public let warning: String?
    private let path: String
    private let header: CheckpointHeader
    private let stored: StoredModel
    /// The arrays by their paths in the checkpoint, in the order of the forward pass.
    private let arrays: [(path: String, array: SafetensorsImage.Array)]

    static let weightsName = "model.safetensors"
    static let programName = "saccader.py"
    static let cardName = "README.md"

    /// Reads a checkpoint and verifies its checksums.
    ///
    /// - Parameter average: Whether the moving average below `/ema` is taken in the place of the
    ///   weights below `/model`, which evaluation reads.
    public init(_ path: String, average: Bool = false) throws {
        let checkpoint = try Checkpoint(reading: path)
        (self.path, warning) = (path, checkpoint.warning)
        stored = try StoredModel(checkpoint)
        _ = try stored.classes(of: checkpoint)
        var header = checkpoint.header
        if average {
            guard header.average.updates != nil else {
                throw RequestError(
                    "\(path): holds no moving average below /ema: leave --ema out")
            }
            header.developmentAccuracy = header.average.developmentAccuracy
            header.average.isModel = true
        }
        self.header = header
        let group = average ? "/ema" : "/model"
        let layout = stored.model.layout
        let shapes =
            layout.parameters.map { ($0.path, $0.shape) }
            + layout.statistics.map { ($0.path, [$0.count]) }
        arrays = try shapes.map { path, shape in
            let array = SafetensorsImage.Array(
                ExportedArray.name(path), shape: ExportedArray.shape(path, shape),
                values: ExportedArray.exported(
                    path, shape: shape,
                    try checkpoint.finiteFloats("\(group)/\(path)", shape: shape)))
            return (path, array)
        }
    }

    /// The files of a format, those that are loaded last.
    private func files(
        _ format: ExportFormat, glimpses: Int?
    ) throws -> [(name: String, data: Data)] {
        let metadata = ExportMetadata(
            header, family: Families.family(of: stored.stage).name,
            pixels: stored.model.pixelScale)
        switch format {
        case .pytorch:
            guard
                let source = Bundle.module.path(
                    forResource: "Resources/\(Self.programName)", ofType: nil),
                let program = FileManager.default.contents(atPath: source)
            else { throw ImagesError.resource(name: Self.programName) }
            let weights = try SafetensorsImage(arrays.map(\.array), metadata: metadata.texts)
            return [
                (Self.programName, program),
                (Self.cardName, Data(ModelCard(header, stored, .pytorch).text.utf8)),
                (Self.weightsName, weights.data),
            ]
        case .onnx:
            let weights = arrays.map { path, array in
                (
                    path,
                    GraphWeights.Array(
                        name: array.name, shape: array.shape, values: array.values)
                )
            }
            let export = try ONNXExport(
                stored, path: path, glimpses: glimpses,
                weights: GraphWeights(Dictionary(uniqueKeysWithValues: weights)))
            let card = ModelCard(header, stored, .onnx(export.graphs))
            return [(Self.cardName, Data(card.text.utf8))] + (try export.files(metadata))
        }
    }

    /// Writes the folder; files that are there already are never replaced, and after an error none
    /// of these is left.
    ///
    /// - Parameter glimpses: T of graphs; nil: as in training.
    /// - Returns: The files' paths.
    public func write(
        to folder: String, as format: ExportFormat = .pytorch, glimpses: Int? = nil
    ) throws -> [String] {
        // The weights last: a folder that has them is whole.
        let files = try files(format, glimpses: glimpses)
        let existed = FileManager.default.fileExists(atPath: folder)
        for (name, _) in files where FileManager.default.fileExists(atPath: "\(folder)/\(name)") {
            throw RequestError(
                "\(folder)/\(name): exists and is left alone: choose another --output, or remove it",
                exitCode: .cannotWrite)
        }
        var written: [String] = []
        do {
            try AtomicFile.createFolder(folder)
            for (name, data) in files {
                let path = "\(folder)/\(name)"
                try AtomicFile.write(path, data: data)
                written.append(path)
            }
        } catch {
            for path in written { unlink(path) }
            if !existed { rmdir(folder) }
            throw error
        }
        return written
    }
}
