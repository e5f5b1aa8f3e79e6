import Foundation
import ResNetModel
import SaccaderModel

/// The classifier in double precision, written as plainly as the paper's figure.
struct ReferenceClassifier {
    let configuration: ClassifierSettings
    /// Parameters and running statistics by path.
    var numbers: [String: [Double]]

    private func number(_ path: String) -> [Double] { numbers[path] ?? [] }

    private func activated(_ map: Map, _ path: String, training: Bool) -> Map {
        let (mean, variance) =
            training ? map.moments() : (number("\(path)/mean"), number("\(path)/variance"))
        let scale = zip(number("\(path)/gamma"), variance).map {
            $0 / ($1 + configuration.batchNorm.epsilon).squareRoot()
        }
        let beta = number("\(path)/beta")
        return map.affine(scale, (0..<map.c).map { beta[$0] - mean[$0] * scale[$0] }).rectified
    }

    /// The logits of each image, `[N][c]`.
    func logits(_ images: Map, training: Bool) -> [[Double]] {
        let sizes = configuration.classifier
        var map = images.padded(3).convolved(number("classifier/stem/conv/kernel"), k: 7, stride: 2)
            .pooled()
        for group in sizes.planes.indices {
            for block in 0..<sizes.blocks[group] {
                let path = "classifier/group\(group)/block\(block)"
                let stride = block == 0 ? sizes.strides[group] : 1
                func kernel(_ name: String) -> [Double] { number("\(path)/\(name)/kernel") }
                let input = activated(map, "\(path)/norm1", training: training)
                var main = input.convolved(kernel("conv1"), k: 1)
                main = activated(main, "\(path)/norm2", training: training)
                main = main.padded(1).convolved(kernel("conv2"), k: 3, stride: stride)
                main = activated(main, "\(path)/norm3", training: training)
                main = main.convolved(kernel("conv3"), k: 1)
                let projects = !kernel("shortcut/conv").isEmpty
                map =
                    main
                    + (projects
                        ? input.convolved(kernel("shortcut/conv"), k: 1, stride: stride) : map)
            }
        }
        map = activated(map, "classifier/norm", training: training)
        let (weights, bias) = (number("classifier/logits/kernel"), number("classifier/logits/bias"))
        return (0..<map.n).map { image in
            var result = bias
            for channel in 0..<map.c {
                var sum = 0.0
                for y in 0..<map.h {
                    for x in 0..<map.w { sum += map[image, y, x, channel] }
                }
                for to in bias.indices {
                    result[to] += sum / Double(map.h * map.w) * weights[channel * bias.count + to]
                }
            }
            return result
        }
    }
}

extension Map {
    /// With `margin` zeros on each side.
    func padded(_ margin: Int) -> Map {
        var result = Map(n, h + 2 * margin, w + 2 * margin, c)
        for image in 0..<n {
            for y in 0..<h {
                for x in 0..<w {
                    for channel in 0..<c {
                        result[image, y + margin, x + margin, channel] =
                            self[image, y, x, channel]
                    }
                }
            }
        }
        return result
    }

    /// 3×3 max pooling of stride 2, the windows reaching one pixel over the border.
    func pooled() -> Map {
        var result = Map(n, (h - 1) / 2 + 1, (w - 1) / 2 + 1, c)
        for image in 0..<n {
            for y in 0..<result.h {
                for x in 0..<result.w {
                    for channel in 0..<c {
                        var largest = -Double.infinity
                        for row in max(0, 2 * y - 1)...min(h - 1, 2 * y + 1) {
                            for column in max(0, 2 * x - 1)...min(w - 1, 2 * x + 1) {
                                largest = max(largest, self[image, row, column, channel])
                            }
                        }
                        result[image, y, x, channel] = largest
                    }
                }
            }
        }
        return result
    }
}
