import Families
import Foundation
import Models
import ONNXGraphs
import StoredModels
import Terminal

/// A checkpoint's model as files of ONNX.
struct ONNXExport {
    /// The graphs; the first is that by which evaluation judges the checkpoint.
    let graphs: [ModelGraph]
    /// T of the learned policy; nil: it has none.
    let glimpses: Int?

    /// - Parameters:
    ///   - path: The checkpoint's, for errors.
    ///   - glimpses: T; nil: as in training.
    ///   - weights: All of the model's.
    init(
        _ stored: StoredModel, path: String, glimpses: Int?, weights: GraphWeights
    ) throws(RequestError) {
        let (model, stage) = (stored.model, stored.stage)
        guard model.policies(after: stage).contains(.learned) else {
            if let glimpses {
                throw RequestError(
                    "--glimpses \(glimpses): \(path) has no learned policy after the stage "
                        + "\(stage.name): leave --glimpses out")
            }
            self.glimpses = nil
            graphs = ModelGraph.all(of: model, glimpses: nil, weights: weights)
            return
        }
        let trained = Families.family(of: stage)
            .trainedGlimpses({ stored.settings.stages[$0] }, after: stage)
        let count = glimpses ?? min(trained, model.glimpseLimit)
        guard (1...model.glimpseLimit).contains(count) else {
            throw RequestError(
                "--glimpses \(count): the model of \(path) takes 1 to \(model.glimpseLimit) of an "
                    + "image")
        }
        self.glimpses = count
        graphs = ModelGraph.all(of: model, glimpses: count, weights: weights)
    }

    /// The files' names and contents, the one that evaluation judges by last.
    ///
    /// - Parameter metadata: What the checkpoint says of itself.
    func files(_ metadata: ExportMetadata) throws -> [(name: String, data: Data)] {
        var texts = metadata.texts
        texts["format"] = nil
        texts["layout"] = "NCHW, kernels OIHW; inputs are pixels 0...255, scaled in the graph"
        texts["glimpses"] = glimpses.map { "\($0)" }
        return try graphs.reversed().map { graph in
            (
                "\(graph.name).onnx",
                try graph.data(program: Program.version, metadata: texts)
            )
        }
    }
}
