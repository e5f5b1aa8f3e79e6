import Foundation
import Tensors

/// A change of an image's colours, as torchvision's `ColorJitter` makes it of an image of floats:
/// each operation on the scale [0, 1], to which its result is clipped.
struct ColorJitter: Equatable, Sendable {
    /// One of the operations with its factor; of hue, the part of the circle by which it turns.
    enum Operation: Equatable, Sendable {
        case brightness(Double)
        case contrast(Double)
        case saturation(Double)
        case hue(Double)
    }

    /// The changes, in the order in which they are made.
    let operations: [Operation]

    /// The given operations.
    init(_ operations: [Operation]) { self.operations = operations }

    /// Draws factors and an order; the numbers of one operation do not depend on which others are
    /// left out.
    init(_ settings: ColorJitterConfiguration, random: inout CounterRandom) {
        func factor(_ width: Double) -> Double {
            let least = max(0, 1 - width)
            return least + (1 + width - least) * random.uniform()
        }
        var all: [(amount: Double, operation: Operation)] = [
            (settings.brightness, .brightness(factor(settings.brightness))),
            (settings.contrast, .contrast(factor(settings.contrast))),
            (settings.saturation, .saturation(factor(settings.saturation))),
            (settings.hue, .hue(settings.hue * (2 * random.uniform() - 1))),
        ]
        for last in (1..<all.count).reversed() {
            all.swapAt(last, Int(random.uniform() * Double(last + 1)))
        }
        operations = all.filter { $0.amount > 0 }.map(\.operation)
    }

    /// Changes an image `[H, W, 3]` on the scale [0, 1].
    func apply(to pixels: inout [Float]) {
        for operation in operations {
            switch operation {
            case .brightness(let factor): Self.scale(&pixels, by: Float(factor)) { _ in 0 }
            case .contrast(let factor):
                let mean = Self.meanGrey(pixels)
                Self.scale(&pixels, by: Float(factor)) { _ in mean }
            case .saturation(let factor):
                Self.scale(&pixels, by: Float(factor)) { Self.grey($0) }
            case .hue(let turn): Self.turn(&pixels, by: Float(turn))
            }
        }
    }

    /// Replaces each colour x by c + factor·(x − c), c being `center(x)`, clipped to [0, 1].
    private static func scale(
        _ pixels: inout [Float], by factor: Float, around center: (SIMD3<Float>) -> Float
    ) {
        change(&pixels) { color in
            let rest = (1 - factor) * center(color)
            return (factor * color + SIMD3(repeating: rest))
                .clamped(lowerBound: .zero, upperBound: .one)
        }
    }

    private static func change(
        _ pixels: inout [Float], _ body: (SIMD3<Float>) -> SIMD3<Float>
    ) {
        for index in stride(from: 0, to: pixels.count, by: 3) {
            let color = body(SIMD3(pixels[index], pixels[index + 1], pixels[index + 2]))
            for channel in 0..<3 { pixels[index + channel] = color[channel] }
        }
    }

    /// Luma as ITU-R BT.601 has it, in torchvision's digits.
    private static func grey(_ color: SIMD3<Float>) -> Float {
        0.2989 * color.x + 0.587 * color.y + 0.114 * color.z
    }

    private static func meanGrey(_ pixels: [Float]) -> Float {
        var sum = 0.0
        for index in stride(from: 0, to: pixels.count, by: 3) {
            sum += Double(grey(SIMD3(pixels[index], pixels[index + 1], pixels[index + 2])))
        }
        return Float(sum / Double(max(1, pixels.count / 3)))
    }

    /// Turns hues: to hue, saturation and value, and back.
    private static func turn(_ pixels: inout [Float], by part: Float) {
        change(&pixels) { color in
            let (value, least) = (color.max(), color.min())
            let chroma = value - least
            // A grey has no hue that could turn.
            guard chroma > 0 else { return color }
            // In sixths of the circle, red being 0.
            let sixths: Float =
                if color.x == value {
                    (color.y - color.z) / chroma
                } else if color.y == value {
                    2 + (color.z - color.x) / chroma
                } else {
                    4 + (color.x - color.y) / chroma
                }
            let turned = sixths + 6 * part
            // Each channel is `value` for two sixths around its own hue, `least` for two opposite.
            func channel(_ center: Float) -> Float {
                let distance = abs(remainder(turned - center, 6))
                return value - chroma * min(1, max(0, distance - 1))
            }
            return SIMD3(channel(0), channel(2), channel(4))
        }
    }
}
