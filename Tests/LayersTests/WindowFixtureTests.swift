import Checkpoints
import Foundation
import Tensors
import Testing

@testable import Layers

/// Depthwise and separable convolutions, factorised reductions and pools on random shapes against
/// PyTorch's in double precision (Fixtures/make_windows.py): outputs and all gradients, to 1e-5 of
/// each array's largest number.
@Suite struct WindowFixtureTests {
    private struct Missing: Error { let what: String }

    /// A case of the file.
    private struct Case {
        let file: HDF5File
        let name: String

        func text(_ key: String) throws -> String {
            guard let text = try file.text(key, of: "/\(name)") else {
                throw Missing(what: "\(key) of \(name)")
            }
            return text
        }

        func number(_ key: String) throws -> Int {
            guard let number = Int(try text(key)) else { throw Missing(what: "\(key) of \(name)") }
            return number
        }

        func values(_ array: String) throws -> [Float] { try file.floats("/\(name)/\(array)") }
    }

    private static func file() throws -> HDF5File {
        guard
            let url = Bundle.module.url(
                forResource: "windows", withExtension: "h5", subdirectory: "Fixtures")
        else { throw Missing(what: "windows.h5") }
        return try HDF5File.open(url.path)
    }

    /// A layer with its values and gradients.
    private struct Subject {
        let store: ParameterStore
        let output: [Float]
        let gradient: [Float]

        init(_ example: Case) throws {
            let imageCount = try example.number("images")
            let shards = imageCount == 1 ? [0..<1] : [0..<1, 1..<imageCount]
            let workspace = Workspace(
                imageCapacity: imageCount, shardCapacity: shards.count, keepsActivations: true)
            let (kernel, stride) = (try example.number("kernel"), try example.number("stride"))
            let (channels, outputs) = (
                try example.number("channels"), try example.number("outputs")
            )
            let shape = Shape(
                imageCount, try example.number("height"), try example.number("width"), channels)
            let input = Tensor<Float>(shape, in: workspace.arena)
            let gradient = Tensor<Float>(shape, in: workspace.arena)
            let padding = SamePadding(kernel: kernel, stride: stride)
            var layout = ParameterLayout()
            var norms = BatchNormConfiguration()
            norms.epsilon = 1e-3
            let forward: (Pass) throws -> [Float]
            let backward: (Tensor<Float>, Pass) throws -> Void
            let small = Shape(
                imageCount, padding.outputSize(shape.height), padding.outputSize(shape.width),
                channels)
            let upstream: Tensor<Float>
            switch try example.text("layer") {
            case "depthwise":
                let layer = DepthwiseConvolution<Float>(
                    "layer", channels: channels, padding: padding, layout: &layout)
                layer.plan(input: shape, in: workspace)
                let output = Tensor<Float>(small, in: workspace.arena)
                let read = Activation(rectifying: input)
                upstream = Tensor(small, in: workspace.arena)
                forward = {
                    layer.forward(read, into: output, pass: $0)
                    return output.elements()
                }
                backward = {
                    layer.backward(
                        $0, input: read, sink: GradientSink(gradient, mask: read), pass: $1)
                }
            case "separable":
                let layer = SeparableConvolution<Float>(
                    "layer", padding: padding, inputs: channels, outputs: outputs, norms: norms,
                    layout: &layout)
                let read = Activation(final: input)
                let buffers = layer.plan(input: read, in: workspace)
                upstream = Tensor(buffers.output.raw.shape, in: workspace.arena)
                let gradients = layer.planBackward(buffers, in: workspace)
                forward = {
                    try layer.forward(buffers, mode: .training, pass: $0)
                    return buffers.output.value.values(imageCount: imageCount)
                }
                backward = {
                    $0.gatherNormSums([buffers.output.normTarget], pass: $1)
                    try layer.backward(
                        buffers, gradients, outputGradient: $0,
                        sink: GradientSink(gradient, mask: read.rectified), pass: $1)
                }
            case "factorized":
                let layer = FactorizedReduction<Float>(
                    "layer", inputs: [channels], outputs: outputs, norms: norms, layout: &layout)
                let read = Activation(final: input)
                let buffers = layer.plan(inputs: [read], in: workspace)
                upstream = Tensor(buffers.raw.shape, in: workspace.arena)
                let gradients = layer.planBackward(buffers, in: workspace)
                forward = {
                    try layer.forward(buffers, mode: .training, pass: $0)
                    return buffers.value.values(imageCount: imageCount)
                }
                backward = {
                    $0.gatherNormSums([buffers.normTarget], pass: $1)
                    try layer.backward(
                        buffers, gradients, gradient: $0,
                        sinks: [GradientSink(gradient, mask: read.rectified)], pass: $1)
                }
            case "average":
                let divisor = try #require(PoolPadding(rawValue: try example.text("padding")))
                let layer = SameAveragePooling<Float>(padding, divisor: divisor)
                layer.plan(input: shape, in: workspace)
                let output = Tensor<Float>(small, in: workspace.arena)
                upstream = Tensor(small, in: workspace.arena)
                forward = {
                    layer.forward(Activation(final: input), into: output, pass: $0)
                    return output.elements()
                }
                backward = { layer.backward($0, sink: GradientSink(gradient), pass: $1) }
            default:
                let layer = MaxPooling<Float>(padding)
                layer.plan(input: shape, in: workspace)
                let output = Tensor<Float>(small, in: workspace.arena)
                upstream = Tensor(small, in: workspace.arena)
                let read = Activation(final: input)
                forward = {
                    layer.forward(read, into: output, pass: $0)
                    return output.elements()
                }
                backward = {
                    layer.backward($0, input: read, sink: GradientSink(gradient), pass: $1)
                }
            }
            workspace.commit(threadCount: 2)
            workspace.allocate()
            store = ParameterStore(layout: layout, seed: 1)
            for parameter in layout.parameters {
                let values = try example.values(
                    "parameters/\(parameter.path.dropFirst("layer/".count))")
                try #require(values.count == parameter.count)
                store.values(parameter).update(from: values, count: values.count)
            }
            let pass = Pass(
                pool: ThreadPool(threadCount: 2), reducer: NoRanks(), store: store,
                workspace: workspace, shards: shards, globalImageCount: imageCount)
            let pixels = try example.values("input")
            input.pointer.update(from: pixels, count: pixels.count)
            output = try forward(pass)
            let values = try example.values("upstream")
            try #require(values.count == upstream.shape.count)
            upstream.pointer.update(from: values, count: values.count)
            try backward(upstream, pass)
            self.gradient = gradient.elements()
        }
    }

    private static func distance(_ found: [Float], _ expected: [Float]) throws -> Float {
        try #require(found.count == expected.count)
        let largest = expected.map(abs).max() ?? 0
        return (zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity) / largest
    }

    @Test(arguments: 0..<17) func agreesWithPyTorch(number: Int) throws {
        let digits = String(number)
        let example = Case(
            file: try Self.file(), name: "case\(digits.count == 1 ? "0" : "")\(digits)")
        let (subject, layer) = (try Subject(example), try example.text("layer"))
        #expect(try Self.distance(subject.output, example.values("output")) < 1e-5)
        #expect(try Self.distance(subject.gradient, example.values("inputGradient")) < 1e-5)
        for parameter in subject.store.layout.parameters {
            let name = parameter.path.dropFirst("layer/".count)
            let found = (0..<parameter.count).map { subject.store.gradient(parameter)[$0] }
            #expect(
                try Self.distance(found, example.values("gradients/\(name)")) < 1e-5,
                "\(layer): \(name)")
        }
    }
}
