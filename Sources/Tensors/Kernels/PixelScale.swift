/// How pixels on the scale [0, 1] are made ready for a network: (pixel − mean) / deviation, by
/// channel. Networks that were trained elsewhere have their own.
public struct PixelScale: Codable, Equatable, Sendable {
    /// The mean of red, green and blue; empty: ImageNet's.
    public var mean: [Double] = []
    /// The standard deviation of red, green and blue; empty: ImageNet's.
    public var deviation: [Double] = []

    /// ImageNet's, by which all images are standardised.
    public init() {}

    /// Other numbers, three each.
    public init(mean: [Double], deviation: [Double]) {
        (self.mean, self.deviation) = (mean, deviation)
    }

    /// The numbers by which images are standardised.
    public static let standard = PixelScale(
        mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225])

    /// The numbers themselves where there are none of its own: ImageNet's.
    public var resolved: PixelScale { mean.isEmpty ? .standard : self }

    /// What brings a standardised value to this scale, by channel: value·scale + shift; nil:
    /// nothing is to be done.
    public var change: (scale: [Float], shift: [Float])? {
        guard !mean.isEmpty, self != .standard else { return nil }
        let channels = 0..<3
        return (
            channels.map { Float(Self.standard.deviation[$0] / deviation[$0]) },
            channels.map { Float((Self.standard.mean[$0] - mean[$0]) / deviation[$0]) }
        )
    }

    /// Standardised values on this scale; channels are innermost.
    public func applied(to values: [Float]) -> [Float] {
        guard let change else { return values }
        return values.indices.map {
            values[$0] * change.scale[$0 % 3] + change.shift[$0 % 3]
        }
    }
}
