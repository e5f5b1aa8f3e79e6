/// How the weights that others publish for a network become a model of a family.
public struct PublicWeights: Sendable {
    /// Where an array belongs, and how its dimensions follow each other in the public file.
    public struct Place: Equatable, Sendable {
        /// Below `/model`.
        public let path: String
        /// The order of the public file's numbers.
        public let order: Order

        /// Names a place.
        public init(_ path: String, _ order: Order) { (self.path, self.order) = (path, order) }
    }

    /// An order of dimensions.
    public enum Order: Sendable {
        /// `[O, I, h, w]`, here `[h, w, I, O]`; `[O, I]`, here `[1, 1, I, O]`.
        case kernel
        /// `[C, 1, h, w]`, here `[h, w, C, 1]`.
        case depthwise
        /// One dimension, as here.
        case vector
    }

    /// What commands call them.
    public let name: String
    /// What they are made for, for example `nasnetalarge.tf_in1k` of timm.
    public let example: String
    /// The stage of the checkpoint that they become.
    public let stage: Stage
    /// The key of the scale of pixels that they expect.
    public let pixelKey: String
    /// The path of the logits' arrays, without `kernel` and `bias`.
    public let logitsPath: String
    /// Where an array of a public name belongs; nil: nowhere.
    public let place: @Sendable (_ name: String) -> Place?
    /// The settings that follow from the public arrays' shapes, as `key=value`, with the classes.
    public let settings:
        @Sendable (_ shapes: [String: [Int]]) throws(Misfit) -> (settings: [String], classes: Int)

    /// Why arrays are not those of such a network.
    public struct Misfit: Error {
        /// What is wrong.
        public let reason: String

        /// Says what is wrong.
        public init(_ reason: String) { self.reason = reason }
    }

    /// Collects the rules.
    public init(
        name: String, example: String, stage: Stage, pixelKey: String, logitsPath: String,
        place: @escaping @Sendable (_ name: String) -> Place?,
        settings:
            @escaping @Sendable (_ shapes: [String: [Int]]) throws(Misfit) -> (
                settings: [String], classes: Int
            )
    ) {
        (self.name, self.example, self.stage) = (name, example, stage)
        (self.pixelKey, self.logitsPath) = (pixelKey, logitsPath)
        (self.place, self.settings) = (place, settings)
    }

    /// The place of a batch norm's array: `weight`, `bias`, `running_mean` or `running_var` of the
    /// norm at `path`.
    public static func norm(_ path: String, _ array: Substring) -> Place? {
        let names = [
            "weight": "gamma", "bias": "beta", "running_mean": "mean", "running_var": "variance",
        ]
        return names[String(array)].map { Place("\(path)/\($0)", .vector) }
    }

    /// Whether an array counts batches, which nothing here depends on.
    public static func isCounter(_ name: String) -> Bool {
        name.hasSuffix(".num_batches_tracked")
    }
}
