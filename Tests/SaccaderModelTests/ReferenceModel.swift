import Foundation
import SaccaderModel

/// The method in double precision, written as plainly as the equations: what the engine is
/// compared with.
struct ReferenceModel {
    let configuration: SaccaderSettings
    /// Parameters and running statistics by path.
    var numbers: [String: [Double]]
    /// Parts whose norms are those of inference also in training.
    var frozen: [String] = []

    private func number(_ path: String) -> [Double] { numbers[path] ?? [] }

    private func normalized(_ map: Map, _ path: String, training: Bool) -> Map {
        let isFrozen = frozen.contains { path.hasPrefix("\($0)/") }
        let (mean, variance) =
            training && !isFrozen
            ? map.moments() : (number("\(path)/mean"), number("\(path)/variance"))
        let (gamma, beta) = (number("\(path)/gamma"), number("\(path)/beta"))
        let scale = zip(gamma, variance).map {
            $0 / ($1 + configuration.batchNorm.epsilon).squareRoot()
        }
        return map.affine(
            scale, map.c == 0 ? [] : (0..<map.c).map { beta[$0] - mean[$0] * scale[$0] })
    }

    private func bottleneck(
        _ input: Map, _ path: String, planes: Int, k: Int, stride: Int, training: Bool
    ) -> Map {
        func kernel(_ name: String) -> [Double] { number("\(path)/\(name)/kernel") }
        var main = input.convolved(kernel("conv1"), k: 1)
        main = normalized(main, "\(path)/norm1", training: training).rectified
        main = main.convolved(kernel("conv2"), k: k, stride: stride)
        main = normalized(main, "\(path)/norm2", training: training).rectified
        main = main.convolved(kernel("conv3"), k: 1)
        main = normalized(main, "\(path)/norm3", training: training)
        var residual = k == 3 ? input.cropped(1) : input
        if numbers["\(path)/shortcut/conv/kernel"] != nil {
            residual = residual.convolved(kernel("shortcut/conv"), k: 1, stride: stride)
            if configuration.representation.shortcutNorm == .residual {
                residual = normalized(residual, "\(path)/shortcut/norm", training: training)
            } else {
                main = normalized(main, "\(path)/shortcut/norm", training: training)
            }
        }
        return (main + residual).rectified
    }

    /// Features, "what" features and `logits2d`.
    func representation(_ images: Map, training: Bool) -> (features: Map, what: Map, logits: Map) {
        let sizes = configuration.representation
        var map = images.convolved(number("representation/stem/conv/kernel"), k: 3)
        map = normalized(map, "representation/stem/norm", training: training).rectified
        for group in sizes.planes.indices {
            for block in 0..<sizes.blocks[group] {
                map = bottleneck(
                    map, "representation/group\(group)/block\(block)",
                    planes: sizes.planes[group], k: block < sizes.kernel3[group] ? 3 : 1,
                    stride: block == 0 ? sizes.strides[group] : 1, training: training)
            }
        }
        var what = map.convolved(number("representation/lowd/conv/kernel"), k: 1)
        what = normalized(what, "representation/lowd/norm", training: training).rectified
        let bias = number("representation/logits/bias")
        let logits = what.convolved(number("representation/logits/kernel"), k: 1)
            .affine([Double](repeating: 1, count: bias.count), bias)
        return (map, what, logits)
    }

    /// F, which the cell reads.
    func mixed(features: Map, what: Map) -> Map {
        var input = what
        if configuration.attention.enabled {
            var map = features
            let layers = configuration.attention.groups * configuration.attention.layersPerGroup
            for layer in 0..<layers {
                // The first layer of each group is 1×1, the others are 3×3 with dilation.
                let isPointwise = layer % configuration.attention.layersPerGroup == 0
                map = map.convolved(
                    number("attention/layer\(layer)/conv/kernel"), k: isPointwise ? 1 : 3,
                    dilation: configuration.attention.dilation, same: true)
                map = normalized(map, "attention/layer\(layer)/norm", training: true).rectified
            }
            input = map.joined(what)
        }
        let bias = number("mixing/bias")
        return input.convolved(number("mixing/kernel"), k: 1)
            .affine([Double](repeating: 1, count: bias.count), bias)
    }

    /// −Σ_t log π(l_t | X, C) along a given trajectory of one image.
    func surprise(_ features: Map, image: Int, trajectory: [Int]) -> Double {
        zip(logits(features, image: image, trajectory: trajectory), trajectory).reduce(0) {
            $0 + softmax($1.0).logSum - $1.0[$1.1]
        }
    }

    /// R̃ at each glimpse of a given trajectory of one image.
    func policies(_ features: Map, image: Int, trajectory: [Int]) -> [[Double]] {
        logits(features, image: image, trajectory: trajectory).map { softmax($0).probabilities }
    }

    /// R at each glimpse of a given trajectory of one image (eq. 1 to 3).
    private func logits(_ features: Map, image: Int, trajectory: [Int]) -> [[Double]] {
        let (places, d) = (features.h * features.w, features.c)
        let rows = (0..<places).map { place in
            (0..<d).map { features[image, place / features.w, place % features.w, $0] }
        }
        let a = number("cell/a")
        var visited = [Double](repeating: 0, count: places)
        return trajectory.map { place in
            let g = rows.indices.map { row in
                zip(rows[row], a).reduce(0) { $0 + $1.0 * $1.1 } / Double(d).squareRoot()
                    - 1e5 * visited[row]
            }
            let attention = softmax(g).probabilities
            let h = (0..<d).map { k in rows.indices.reduce(0) { $0 + rows[$1][k] * attention[$1] } }
            let channels = softmax(h).probabilities
            let r = rows.indices.map { row in
                zip(rows[row], channels).reduce(0) { $0 + $1.0 * $1.1 } - 1e5 * visited[row]
            }
            visited[place] = 1
            return r
        }
    }

    /// The mean of an image's logits over `places`; over all places where none are given.
    func averagedLogits(_ logits: Map, image: Int, places: [Int]? = nil) -> [Double] {
        let places = places ?? Array(0..<(logits.h * logits.w))
        return (0..<logits.c).map { channel in
            places.reduce(0) {
                $0 + logits[image, $1 / logits.w, $1 % logits.w, channel]
            } / Double(places.count)
        }
    }

    func crossEntropy(_ logits: [Double], label: Int) -> Double {
        softmax(logits).logSum - logits[label]
    }
}
