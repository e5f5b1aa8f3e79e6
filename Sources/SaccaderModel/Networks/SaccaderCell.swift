import Foundation
import Layers
import Models
import Tensors

/// The Saccader cell (Method: Networks, equations 1–3): from features F and the places already
/// visited to a policy over the next place.
public struct SaccaderCell: Sendable {
    /// The penalty of a place that was visited, in both equations.
    public static let visitedPenalty: Float = 1e5

    /// a, `[d]`.
    let vector: Parameter
    let channels: Int

    /// Registers a below `cell`; it starts normal with deviation 1.
    init(channels: Int, layout: inout ParameterLayout) {
        vector = layout.parameter(
            "cell/a", shape: [channels], decays: true, initial: .normal(deviation: 1))
        self.channels = channels
    }

    /// What one image's trajectories leave behind, for the loss and for backward.
    struct Buffers: Sendable {
        let glimpses: Int
        /// S, trajectories per image.
        let samples: Int
        /// G̃ of eq. 1, `[N, S, T, P]`.
        let attention: Tensor<Float>
        /// h̃ of eq. 2, `[N, S, T, d]`.
        let channelWeights: Tensor<Float>
        /// R of eq. 3 before the softmax, `[N, S, T, P]`.
        let logits: Tensor<Float>
        /// The chosen places, `[N, S, T]`.
        let locations: Tensor<Int32>

        func attention(_ image: Int, _ sample: Int) -> UnsafeMutablePointer<Float> {
            attention.row((image * samples + sample) * glimpses)
        }
        func channelWeights(_ image: Int, _ sample: Int) -> UnsafeMutablePointer<Float> {
            channelWeights.row((image * samples + sample) * glimpses)
        }
        func logits(_ image: Int, _ sample: Int) -> UnsafeMutablePointer<Float> {
            logits.row((image * samples + sample) * glimpses)
        }
        func locations(_ image: Int, _ sample: Int) -> UnsafeMutablePointer<Int32> {
            locations.row((image * samples + sample) * glimpses)
        }
    }

    func plan(glimpses: Int, samples: Int, locations: Int, in workspace: Workspace) -> Buffers {
        let arena = workspace.arena
        let images = workspace.imageCapacity
        // Scratch: F and its gradient, the policy's gradient, g, and T rows of P and of d twice.
        workspace.needScratch(
            2 * locations * channels + (3 * glimpses + 2) * locations + 3 * glimpses * channels)
        return Buffers(
            glimpses: glimpses, samples: samples,
            attention: Tensor(Shape(images, samples, glimpses, locations), in: arena),
            channelWeights: Tensor(Shape(images, samples, glimpses, channels), in: arena),
            logits: Tensor(Shape(images, samples, glimpses, locations), in: arena),
            locations: Tensor(Shape(images, samples, glimpses, 1), in: arena))
    }

    /// Runs one trajectory of one image.
    ///
    /// - Parameters:
    ///   - features: F, `[P, d]`.
    ///   - scratch: At least P floats.
    ///   - choose: Takes t and R `[P]`, visited places penalised; returns the place.
    func run(
        features: UnsafeMutablePointer<Float>, locationCount: Int, store: ParameterStore,
        into buffers: Buffers, image: Int, sample: Int, scratch: UnsafeMutablePointer<Float>,
        choose: (_ glimpse: Int, _ logits: UnsafeMutablePointer<Float>) -> Int
    ) {
        let matrix = Matrix(features, stride: channels)
        let base = scratch
        // The part of G that does not change with time: F·a/√d.
        MatrixMultiply.product(
            matrix, Matrix(store.values(vector), stride: 1), into: Matrix(base, stride: 1),
            rows: locationCount, columns: 1, inner: channels)
        let scale = 1 / Float(channels).squareRoot()
        let chosen = buffers.locations(image, sample)
        for t in 0..<buffers.glimpses {
            let attention = buffers.attention(image, sample) + t * locationCount
            let weights = buffers.channelWeights(image, sample) + t * channels
            let logits = buffers.logits(image, sample) + t * locationCount
            for place in 0..<locationCount { attention[place] = base[place] * scale }
            Self.penalize(attention, visited: chosen, count: t)
            Softmax.apply(attention, count: locationCount)  // (1)
            MatrixMultiply.product(
                Matrix(attention, stride: locationCount), matrix,
                into: Matrix(weights, stride: channels),
                rows: 1, columns: channels, inner: locationCount)
            Softmax.apply(weights, count: channels)  // (2)
            MatrixMultiply.product(
                matrix, Matrix(weights, stride: 1), into: Matrix(logits, stride: 1),
                rows: locationCount, columns: 1, inner: channels)
            Self.penalize(logits, visited: chosen, count: t)  // (3)
            chosen[t] = Int32(choose(t, logits))
        }
    }

    private static func penalize(
        _ logits: UnsafeMutablePointer<Float>, visited: UnsafeMutablePointer<Int32>, count: Int
    ) {
        // A place visited twice (fixed trajectories may) counts once: C is 0 or 1.
        for t in 0..<count {
            let place = Int(visited[t])
            if !(0..<t).contains(where: { visited[$0] == visited[t] }) {
                logits[place] -= visitedPenalty
            }
        }
    }

    /// Inverts eq. 3, 2 and 1 of one trajectory, in this order.
    ///
    /// - Parameters:
    ///   - logitsGradient: Of R, `[T, P]`.
    ///   - featuresGradient: Added to, `[P, d]`.
    ///   - vectorGradient: Of a, added to, `[d]`.
    ///   - scratch: T·(d + P) + P + d floats.
    func backward(
        logitsGradient: UnsafeMutablePointer<Float>, features: UnsafeMutablePointer<Float>,
        locationCount: Int, store: ParameterStore, buffers: Buffers, image: Int, sample: Int,
        featuresGradient: UnsafeMutablePointer<Float>,
        vectorGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        let (glimpses, d, places) = (buffers.glimpses, channels, locationCount)
        let matrix = Matrix(features, stride: d)
        let featuresOut = Matrix(featuresGradient, stride: d)
        let upstream = Matrix(logitsGradient, stride: places)
        let attention = buffers.attention(image, sample)
        let weights = buffers.channelWeights(image, sample)
        let weightsGradient = scratch
        let attentionGradient = weightsGradient + glimpses * d
        let baseGradient = attentionGradient + glimpses * places
        // R = F h̃ (3): for F and for h̃.
        MatrixMultiply.product(
            transposed: upstream, Matrix(weights, stride: d), into: featuresOut,
            rows: places, columns: d, inner: glimpses, adding: true)
        MatrixMultiply.product(
            upstream, matrix, into: Matrix(weightsGradient, stride: d),
            rows: glimpses, columns: d, inner: places)
        // h̃ = softmax(h), h = Fᵀ G̃ (2): for F and for G̃.
        for t in 0..<glimpses {
            Softmax.backward(weightsGradient + t * d, output: weights + t * d, count: d)
        }
        MatrixMultiply.product(
            transposed: Matrix(attention, stride: places), Matrix(weightsGradient, stride: d),
            into: featuresOut, rows: places, columns: d, inner: glimpses, adding: true)
        MatrixMultiply.product(
            Matrix(weightsGradient, stride: d), transposed: matrix,
            into: Matrix(attentionGradient, stride: places),
            rows: glimpses, columns: places, inner: d)
        // G̃ = softmax(F a/√d − penalty) (1): for F and for a, summed over time.
        baseGradient.update(repeating: 0, count: places)
        let scale = 1 / Float(d).squareRoot()
        for t in 0..<glimpses {
            let gradient = attentionGradient + t * places
            Softmax.backward(gradient, output: attention + t * places, count: places)
            for place in 0..<places { baseGradient[place] += gradient[place] * scale }
        }
        MatrixMultiply.product(
            Matrix(baseGradient, stride: places), matrix, into: Matrix(vectorGradient, stride: d),
            rows: 1, columns: d, inner: places, adding: true)
        MatrixMultiply.product(
            Matrix(baseGradient, stride: 1), Matrix(store.values(vector), stride: d),
            into: featuresOut, rows: places, columns: d, inner: 1, adding: true)
    }
}
