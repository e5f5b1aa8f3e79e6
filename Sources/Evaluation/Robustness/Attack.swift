import Foundation
import Images
import Models
import Tensors
import Terminal

/// An attack within an L∞ ball around an image, pixels on the scale [0, 1] (paper, appendix D).
public struct Attack: Codable, Equatable, Sendable {
    /// How the perturbation is found.
    public enum Method: String, CaseIterable, Codable, Sendable {
        /// The fast gradient sign method: one step of ε (Goodfellow, Shlens, Szegedy 2015).
        case fgsm
        /// Projected gradient descent: from a random point of the ball, several steps of 2.5·ε/steps,
        /// each projected back (Madry et al. 2018).
        case pgd
    }

    /// How the perturbation is found.
    public let method: Method
    /// Radii of the ball, at least 0 and at most 1.
    public let epsilons: [Double]
    /// Steps of `pgd`.
    public let steps: Int

    /// The usual radii.
    public static let defaultEpsilons = "0,1/255,2/255,4/255,8/255"
    /// The usual number of steps of `pgd`.
    public static let defaultSteps = 10

    /// Reads the words of the command line.
    ///
    /// - Parameters:
    ///   - method: `fgsm` or `pgd`.
    ///   - epsilons: Numbers or fractions with commas between: `0,1/255,0.01`.
    public init(
        method: String, epsilons text: String = Attack.defaultEpsilons,
        steps: Int = Attack.defaultSteps
    ) throws(RequestError) {
        guard let known = Method(rawValue: method) else {
            throw .unknown(
                method, "--attack", "no attack", among: Method.allCases.map(\.rawValue))
        }
        var numbers: [Double] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = word.split(separator: "/", omittingEmptySubsequences: false).map {
                Double($0)
            }
            let values = parts.compactMap { $0 }
            let number = values.count == 2 ? values[0] / values[1] : values.first
            guard (1...2).contains(parts.count), values.count == parts.count, let number,
                (0...1).contains(number)
            else {
                throw RequestError(
                    "--epsilon: \"\(word)\" is no number from 0 to 1; give for example 0,1/255")
            }
            numbers.append(number)
        }
        (self.method, self.epsilons, self.steps) = (known, numbers, steps)
    }

    /// How often an image passes through the network and back at a radius.
    func gradientCount(_ epsilon: Double) -> Int {
        epsilon == 0 ? 0 : method == .fgsm ? 1 : steps
    }

    /// Where the attack on an image starts.
    ///
    /// - Parameters:
    ///   - pixels: `[H, W, 3]` in [0, 1].
    ///   - identifier: The image's number, which with the seed keys `pgd`'s random point.
    func start(_ pixels: [Float], epsilon: Double, seed: UInt64, identifier: Int) -> [Float] {
        guard method == .pgd, epsilon > 0 else { return pixels }
        var random = CounterRandom(seed: seed, purpose: .attack, index: UInt64(identifier))
        return pixels.map {
            min(1, max(0, $0 + Float(epsilon * (2 * random.uniform() - 1))))
        }
    }

    /// One step up the loss, kept in the ball and in [0, 1].
    func step(
        _ current: [Float], along gradient: [Float], around origin: [Float], epsilon: Double
    ) -> [Float] {
        let size = Float(method == .fgsm ? epsilon : 2.5 * epsilon / Double(steps))
        let radius = Float(epsilon)
        return current.indices.map { index in
            let slope = gradient[index]
            let moved = current[index] + (slope > 0 ? size : slope < 0 ? -size : 0)
            let kept = min(origin[index] + radius, max(origin[index] - radius, moved))
            return min(1, max(0, kept))
        }
    }
}
