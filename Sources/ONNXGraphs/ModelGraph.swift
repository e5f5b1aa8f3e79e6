import DRAMModel
import Foundation
import GlimpseModel
import Models
import ONNXMessages
import ResNetModel
import SaccaderModel
import SwiftProtobuf
import Tensors

/// A network as a file of ONNX.
public struct ModelGraph: Sendable {
    /// The file's name without `.onnx`.
    public let name: String
    /// What it computes, a sentence without its end.
    public let about: String
    private let graph: Onnx_GraphProto

    /// The graphs of a model: `model`, by which evaluation judges it, and `classifier`, the network
    /// without attention, where that is another one.
    ///
    /// - Parameters:
    ///   - glimpses: T of the learned policy; nil: it has none.
    ///   - weights: All of the model's.
    public static func all(
        of model: any ModelFamily, glimpses: Int?, weights: GraphWeights
    ) -> [ModelGraph] {
        var graphs: [ModelGraph] = []
        if let glimpses {
            var builder = GraphBuilder(weights)
            let pixels = builder.images(side: model.imageSize, name: "pixels")
            if let seen = look(model, glimpses, pixels, &builder) {
                seen.write(to: &builder, classes: model.classes)
                graphs.append(
                    ModelGraph(
                        name: "model", about: "the learned policy's \(glimpses) glimpses",
                        builder))
            }
        }
        var builder = GraphBuilder(weights)
        if let (logits, about) = whole(model, &builder) {
            builder.output(
                "logits", logits, [model.classes], about: "of each class, before the softmax")
            graphs.append(
                ModelGraph(name: graphs.isEmpty ? "model" : "classifier", about: about, builder))
        }
        return graphs
    }

    private init(name: String, about: String, _ builder: GraphBuilder) {
        (self.name, self.about, graph) = (name, about, builder.graph)
    }

    /// The glimpses of the model's learned policy; nil: it has none.
    private static func look(
        _ model: any ModelFamily, _ count: Int, _ pixels: GraphValue, _ graph: inout GraphBuilder
    ) -> GraphGlimpses? {
        switch model {
        case let model as SaccaderFamily:
            return SaccaderGraph(model).addGlimpses(count, of: pixels, to: &graph)
        case let model as DRAMFamily:
            return DRAMGraph(model).addGlimpses(count, of: pixels, to: &graph)
        case let model as GlimpseFamily:
            guard let locator = model.settings.locator?.model, let places = model.places,
                let seen = look(locator, count, pixels, &graph)
            else { return nil }
            let larger =
                places.imageSize == places.locatorSize
                ? pixels : graph.images(side: places.imageSize, name: "patch_pixels")
            return GlimpseGraph(model).add(seen, places, of: larger, to: &graph)
        default: return nil
        }
    }

    /// The logits without attention; nil: the model has none.
    private static func whole(
        _ model: any ModelFamily, _ graph: inout GraphBuilder
    ) -> (logits: GraphValue, about: String)? {
        switch model {
        case let model as SaccaderFamily:
            let pixels = graph.images(side: model.imageSize, name: "pixels")
            return (
                SaccaderGraph(model).addMean(pixels, to: &graph),
                "the network without attention: the mean over all locations"
            )
        case let model as ClassifierFamily:
            let images = graph.standardized(
                graph.images(side: model.imageSize, name: "pixels"),
                model.pixelScale)
            return (
                ClassifierGraph(model.settings).add(images, to: &graph),
                "the classifier of whole images"
            )
        case let model as GlimpseFamily:
            let network = GlimpseGraph(model)
            let pixels = graph.images(side: network.side, name: "pixels")
            return (
                network.addNetwork(pixels, to: &graph),
                model.places == nil
                    ? "the network on whole images" : "the second network on single patches"
            )
        default: return nil
        }
    }

    /// The file.
    ///
    /// - Parameter metadata: Texts by name.
    public func data(program: String, metadata: [String: String]) throws -> Data {
        var file = Onnx_ModelProto()
        // The first format and the operators that ONNX 1.12 has, of 2022.
        file.irVersion = 8
        var operators = Onnx_OperatorSetIdProto()
        operators.version = 17
        file.opsetImport = [operators]
        (file.producerName, file.producerVersion) = ("saccader-dist", program)
        file.docString = about
        file.graph = graph
        file.graph.name = name
        file.metadataProps = metadata.sorted { $0.key < $1.key }.map { key, value in
            var text = Onnx_StringStringEntryProto()
            (text.key, text.value) = (key, value)
            return text
        }
        return try file.serializedData()
    }
}

extension GraphBuilder {
    /// An input of square images.
    fileprivate mutating func images(side: Int, name: String) -> GraphValue {
        input(
            name, [3, side, side],
            about: "red, green and blue, 0...255, one plane after the other")
    }
}
