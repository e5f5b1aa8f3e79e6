import Foundation

/// Random numbers that are a pure function of their key: Philox4x32-10.
///
/// Every draw of a run is keyed by what it is for and by the global index of the image it serves,
/// never by rank, thread or clock, so that crops, orders and sampled glimpses are the same for any
/// number of ranks and threads.
///
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
public struct CounterRandom: RandomNumberGenerator, Sendable {
    /// What the numbers are used for; different purposes never share a number.
    public enum Purpose: UInt32, Sendable {
        /// Initial values of the parameters.
        case initialization = 1
        /// The order of an epoch's images.
        case order
        /// Random-area crops and flips.
        case augmentation
        /// Glimpses sampled from the policy.
        case glimpses
        /// The demonstration's scenes.
        case scene
        /// The division into training and development images.
        case split
        /// The random policy of evaluation.
        case randomPolicy
        /// Where an attack on an image starts.
        case attack
        /// Places of glimpses in the plane: the noise of a Gaussian policy, and uniform ones.
        case places
        /// Features that a step of training leaves out.
        case dropout = 32
        /// Branches of cells that a step of training leaves out.
        case dropPath
        /// Other places for glimpses than the locator's.
        case jitter
    }

    private let key: SIMD2<UInt32>
    private var counter: SIMD4<UInt32>
    private var block: SIMD4<UInt32> = .zero
    private var wordsLeft = 0

    /// Starts the sequence that belongs to a key.
    ///
    /// - Parameters:
    ///   - seed: The run's seed.
    ///   - purpose: What the numbers are for.
    ///   - stream: The place in time, for example stage and step (any 64 bits).
    ///   - index: The image, parameter or scene; its low 32 bits count.
    public init(seed: UInt64, purpose: Purpose, stream: UInt64 = 0, index: UInt64 = 0) {
        key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        counter = SIMD4(
            purpose.rawValue << 24, UInt32(truncatingIfNeeded: index),
            UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32))
    }

    /// The ten rounds of Philox4x32.
    static func philox(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var words = counter
        var roundKey = key
        for _ in 0..<10 {
            let first = UInt64(0xD251_1F53) * UInt64(words[0])
            let second = UInt64(0xCD9E_8D57) * UInt64(words[2])
            words = SIMD4(
                UInt32(truncatingIfNeeded: second >> 32) ^ words[1] ^ roundKey[0],
                UInt32(truncatingIfNeeded: second),
                UInt32(truncatingIfNeeded: first >> 32) ^ words[3] ^ roundKey[1],
                UInt32(truncatingIfNeeded: first))
            roundKey = SIMD2(roundKey[0] &+ 0x9E37_79B9, roundKey[1] &+ 0xBB67_AE85)
        }
        return words
    }

    private mutating func nextWord() -> UInt32 {
        if wordsLeft == 0 {
            block = Self.philox(counter: counter, key: key)
            counter[0] &+= 1
            wordsLeft = 4
        }
        wordsLeft -= 1
        return block[3 - wordsLeft]
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        let low = UInt64(nextWord())
        return low | UInt64(nextWord()) << 32
    }

    /// The next number in [0, 1), with 53 bits.
    public mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// The next two normal numbers of mean 0 and deviation 1, from two uniform ones by the method
    /// of Box and Muller.
    public mutating func normalPair() -> (Double, Double) {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        let angle = 2 * Double.pi * uniform()
        return (radius * cos(angle), radius * sin(angle))
    }
}
