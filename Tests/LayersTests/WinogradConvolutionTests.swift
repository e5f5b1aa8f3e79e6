import Tensors
import Testing

@testable import Layers

/// A 3×3 convolution in tiles, and its gradients, against loops in double precision.
@Suite struct WinogradConvolutionTests {
    /// A convolution to try: sizes that leave tiles and bands cut off at the edges.
    struct Case: CustomTestStringConvertible {
        let dilation: Int
        let offset: Int
        let height: Int
        let width: Int
        let chunkRows: Int
        var testDescription: String {
            "\(height)×\(width), dilation \(dilation), offset \(offset), chunks of \(chunkRows)"
        }
    }

    static let cases = [
        Case(dilation: 1, offset: 0, height: 8, width: 6, chunkRows: 256),
        Case(dilation: 1, offset: 0, height: 9, width: 7, chunkRows: 16),
        Case(dilation: 1, offset: -1, height: 7, width: 5, chunkRows: 8),
        Case(dilation: 2, offset: -2, height: 9, width: 11, chunkRows: 256),
        Case(dilation: 2, offset: -2, height: 10, width: 7, chunkRows: 24),
        Case(dilation: 2, offset: 0, height: 9, width: 10, chunkRows: 8),
        Case(dilation: 3, offset: -3, height: 4, width: 2, chunkRows: 256),
    ]

    private static let (inputs, outputs, images) = (64, 80, 3)

    private static func numbers(_ count: Int, _ stream: UInt64) -> [Float] {
        var random = CounterRandom(seed: 5, purpose: .scene, stream: stream)
        // BFloat16 holds them exactly: only what is computed with them is rounded.
        return (0..<count).map { _ in
            BFloat16(narrowing: Float(random.uniform()) - 0.25).widened
        }
    }

    /// Results of one convolution: outputs and the gradients of kernel and pixels.
    private struct Results {
        var output: [Double]
        var kernel: [Double]
        var pixels: [Double]
    }

    private static func expected(
        _ geometry: PatchGeometry, input: Shape, output: Shape, pixels: [Float], kernel: [Float],
        gradient: [Float]
    ) -> Results {
        var results = Results(
            output: Array(repeating: 0, count: output.count),
            kernel: Array(repeating: 0, count: kernel.count),
            pixels: Array(repeating: 0, count: input.count))
        for row in 0..<output.rows {
            let (image, location) = row.quotientAndRemainder(dividingBy: output.locations)
            let (i, j) = location.quotientAndRemainder(dividingBy: output.width)
            for tap in 0..<9 {
                let y = i + geometry.offset + geometry.dilation * (tap / 3)
                let x = j + geometry.offset + geometry.dilation * (tap % 3)
                guard (0..<input.height).contains(y), (0..<input.width).contains(x) else {
                    continue
                }
                let pixel = ((image * input.height + y) * input.width + x) * inputs
                for from in 0..<inputs {
                    let weights = (tap * inputs + from) * outputs
                    let value = Double(pixels[pixel + from])
                    for to in 0..<outputs {
                        let upstream = Double(gradient[row * outputs + to])
                        let weight = Double(kernel[weights + to])
                        results.output[row * outputs + to] += value * weight
                        results.kernel[weights + to] += value * upstream
                        results.pixels[pixel + from] += weight * upstream
                    }
                }
            }
        }
        return results
    }

    /// The same by the layer; the images in one or in several shards, on two threads.
    private static func found<Element: StorageElement>(
        _ type: Element.Type, _ geometry: PatchGeometry, shards: [Range<Int>], chunkRows: Int,
        input: Shape, pixels: [Float], kernel: [Float], gradient: [Float]
    ) throws -> (Results, folded: [Double]) {
        var layout = ParameterLayout()
        let convolution = Convolution<Element>(
            "layer", inputChannels: inputs, outputChannels: outputs, geometry: geometry,
            layout: &layout)
        guard case .winograd(let tiled) = convolution else {
            throw Missing(what: "the form in tiles")
        }
        let store = ParameterStore(layout: layout, seed: 1)
        store.values(tiled.kernel).update(from: kernel, count: kernel.count)
        func workspace(trains: Bool) -> Workspace {
            Workspace(
                imageCapacity: images, shardCapacity: shards.count, keepsActivations: trains,
                foldsNorms: !trains, chunkRows: chunkRows)
        }
        let pool = ThreadPool(threadCount: 2)
        func pass(_ workspace: Workspace) -> Pass {
            Pass(
                pool: pool, reducer: NoRanks(), store: store, workspace: workspace,
                shards: shards, globalImageCount: images)
        }
        func fill(_ tensor: Tensor<Element>, _ values: [Float]) {
            for (index, value) in values.enumerated() {
                tensor.pointer[index] = Element(narrowing: value)
            }
        }
        func numbers(_ tensor: Tensor<Element>) -> [Double] {
            tensor.elements().map { Double($0.widened) }
        }
        let training = workspace(trains: true)
        let source = Tensor<Element>(input, in: training.arena)
        let target = Tensor<Element>(convolution.outputShape(input), in: training.arena)
        let upstream = Tensor<Element>(target.shape, in: training.arena)
        let sink = Tensor<Element>(input, in: training.arena)
        convolution.plan(input: input, in: training)
        training.commit(threadCount: 2)
        training.allocate()
        fill(source, pixels)
        fill(upstream, gradient)
        let step = pass(training)
        convolution.forward(Activation(final: source), into: target, momentsOf: nil, pass: step)
        convolution.backward(
            GradientSource(stored: upstream), input: Activation(final: source),
            sink: GradientSink(sink), pass: step)
        let results = Results(
            output: numbers(target),
            kernel: (0..<kernel.count).map { Double(store.gradient(tiled.kernel)[$0]) },
            pixels: numbers(sink))

        let inference = workspace(trains: false)
        let folded = convolution.planFolded(in: inference)
        let frozenSource = Tensor<Element>(input, in: inference.arena)
        let frozen = Tensor<Element>(target.shape, in: inference.arena)
        convolution.plan(input: input, in: inference)
        inference.commit(threadCount: 2)
        inference.allocate()
        fill(frozenSource, pixels)
        tiled.fold(folded, norm: nil, store: store)
        convolution.forward(
            Activation(final: frozenSource), folded: folded, into: frozen, pass: pass(inference))
        return (results, numbers(frozen))
    }

    /// The root mean square of the difference over that of what is expected.
    private static func error(_ found: [Double], _ expected: [Double]) -> Double {
        let difference = zip(found, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return (difference / expected.reduce(0) { $0 + $1 * $1 }).squareRoot()
    }

    private func check<Element: StorageElement>(
        _ type: Element.Type, _ instance: Case, below limit: Double
    ) throws {
        let geometry = PatchGeometry(
            kernel: 3, dilation: instance.dilation, offset: instance.offset)
        let input = Shape(Self.images, instance.height, instance.width, Self.inputs)
        let output = Shape(
            Self.images, geometry.outputSize(input.height), geometry.outputSize(input.width),
            Self.outputs)
        let pixels = Self.numbers(input.count, 1)
        let kernel = Self.numbers(9 * Self.inputs * Self.outputs, 2)
        let gradient = Self.numbers(output.count, 3)
        let expected = Self.expected(
            geometry, input: input, output: output, pixels: pixels, kernel: kernel,
            gradient: gradient)
        for shards in [[0..<1, 1..<2, 2..<3], [0..<3]] {
            let (found, folded) = try Self.found(
                type, geometry, shards: shards, chunkRows: instance.chunkRows, input: input,
                pixels: pixels, kernel: kernel, gradient: gradient)
            #expect(Self.error(found.output, expected.output) < limit)
            #expect(Self.error(found.kernel, expected.kernel) < limit)
            #expect(Self.error(found.pixels, expected.pixels) < limit)
            #expect(Self.error(folded, expected.output.map { max(0, $0) }) < limit)
        }
    }

    @Test(arguments: cases) func singlePrecision(instance: Case) throws {
        try check(Float.self, instance, below: 1e-6)
    }

    /// Transformed pixels, kernels and gradients are rounded to 8 bits, then the result.
    @Test(arguments: cases) func bfloat16(instance: Case) throws {
        try check(BFloat16.self, instance, below: 0.01)
    }

    @Test func narrowOrStridedConvolutionsGatherPatches() {
        let three = PatchGeometry(kernel: 3)
        let fits = WinogradConvolution<Float>.fits
        #expect(fits(three, 64, 64))
        #expect(!fits(three, 32, 64))
        #expect(!fits(three, 64, 72))
        #expect(!fits(PatchGeometry(kernel: 3, stride: 2), 64, 64))
        #expect(!fits(PatchGeometry(kernel: 1), 64, 64))
    }
}

/// One rank alone.
private struct NoRanks: SumReducer {
    func sum(_ values: UnsafeMutableBufferPointer<Double>) {}
    func complete(_ gradients: Range<Int>) {}
}

private struct Missing: Error {
    let what: String
}
