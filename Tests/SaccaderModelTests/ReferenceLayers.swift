import Foundation

/// A batch of feature maps in double precision, `[N, H, W, C]`.
struct Map {
    let n: Int
    let h: Int
    let w: Int
    let c: Int
    var values: [Double]

    init(_ n: Int, _ h: Int, _ w: Int, _ c: Int, values: [Double]? = nil) {
        (self.n, self.h, self.w, self.c) = (n, h, w, c)
        self.values = values ?? [Double](repeating: 0, count: n * h * w * c)
    }

    subscript(image: Int, y: Int, x: Int, channel: Int) -> Double {
        get { values[((image * h + y) * w + x) * c + channel] }
        set { values[((image * h + y) * w + x) * c + channel] = newValue }
    }

    /// The same in every element.
    func mapped(_ body: (Double) -> Double) -> Map { Map(n, h, w, c, values: values.map(body)) }

    var rectified: Map { mapped { max(0, $0) } }

    /// Without `margin` pixels on each side.
    func cropped(_ margin: Int) -> Map {
        var result = Map(n, h - 2 * margin, w - 2 * margin, c)
        for image in 0..<n {
            for y in 0..<result.h {
                for x in 0..<result.w {
                    for channel in 0..<c {
                        result[image, y, x, channel] =
                            self[image, y + margin, x + margin, channel]
                    }
                }
            }
        }
        return result
    }

    /// Channel after channel of both.
    func joined(_ other: Map) -> Map {
        var result = Map(n, h, w, c + other.c)
        for image in 0..<n {
            for y in 0..<h {
                for x in 0..<w {
                    for channel in 0..<result.c {
                        result[image, y, x, channel] =
                            channel < c
                            ? self[image, y, x, channel] : other[image, y, x, channel - c]
                    }
                }
            }
        }
        return result
    }

    static func + (left: Map, right: Map) -> Map {
        precondition(left.values.count == right.values.count, "unlike maps")
        return Map(
            left.n, left.h, left.w, left.c,
            values: zip(left.values, right.values).map { $0 + $1 })
    }

    /// Kernel `[k, k, C, out]`; "same" keeps the size by reading zeros around the map.
    func convolved(
        _ kernel: [Double], k: Int, stride: Int = 1, dilation: Int = 1, same: Bool = false
    ) -> Map {
        let out = kernel.count / (k * k * c)
        let reach = dilation * (k - 1)
        let padding = same ? reach / 2 : 0
        var result = Map(
            n, (h + 2 * padding - reach - 1) / stride + 1,
            (w + 2 * padding - reach - 1) / stride + 1,
            out)
        for image in 0..<n {
            for y in 0..<result.h {
                for x in 0..<result.w {
                    for u in 0..<k {
                        for v in 0..<k {
                            let row = stride * y + dilation * u - padding
                            let column = stride * x + dilation * v - padding
                            guard (0..<h).contains(row), (0..<w).contains(column) else { continue }
                            for from in 0..<c {
                                let value = self[image, row, column, from]
                                for to in 0..<out {
                                    result[image, y, x, to] +=
                                        value * kernel[((u * k + v) * c + from) * out + to]
                                }
                            }
                        }
                    }
                }
            }
        }
        return result
    }

    /// Mean and biased variance of each channel.
    func moments() -> (mean: [Double], variance: [Double]) {
        var (sums, squares) = ([Double](repeating: 0, count: c), [Double](repeating: 0, count: c))
        for (index, value) in values.enumerated() { sums[index % c] += value }
        let count = Double(n * h * w)
        let mean = sums.map { $0 / count }
        for (index, value) in values.enumerated() {
            squares[index % c] += (value - mean[index % c]) * (value - mean[index % c])
        }
        return (mean, squares.map { $0 / count })
    }

    /// `scale·x + shift`, a number for each channel.
    func affine(_ scale: [Double], _ shift: [Double]) -> Map {
        Map(
            n, h, w, c,
            values: values.enumerated().map {
                scale[$0.offset % c] * $0.element + shift[$0.offset % c]
            })
    }
}

/// The softmax, and the logarithm of its sum.
func softmax(_ values: [Double]) -> (probabilities: [Double], logSum: Double) {
    let largest = values.max() ?? 0
    let powers = values.map { exp($0 - largest) }
    let sum = powers.reduce(0, +)
    return (powers.map { $0 / sum }, largest + log(sum))
}
