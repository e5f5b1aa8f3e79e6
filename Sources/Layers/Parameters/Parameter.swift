/// A named slice of the flat buffer of trainable numbers.
public struct Parameter: Sendable {
    /// How a parameter starts.
    public enum Initial: Equatable, Sendable {
        /// Every number the same.
        case constant(Float)
        /// Normal with mean 0 and the given standard deviation.
        case normal(deviation: Float)
        /// The same, drawn again where it is more than two deviations away.
        case truncatedNormal(deviation: Float)
        /// Uniform in ±limit.
        case uniform(limit: Float)

        /// A convolution kernel's that reads `inputs` values: deviation √(1/(3·inputs)), the
        /// variance of a uniform start in ±1/√inputs.
        ///
        /// Batch norm makes the size of most kernels a matter of their learning rate alone, and
        /// small kernels learn faster; features of a small size leave the cell's first policies
        /// open. On the demonstration He's √(2/inputs) ends stage 2 at a loss of 0.44, this at 0.33.
        public static func kernel(inputs: Int) -> Initial {
            .normal(deviation: (1 / (3 * Float(inputs))).squareRoot())
        }

        /// He's for a convolution kernel that reads `inputs` values, as TensorFlow's slim library
        /// draws it: truncated, from the deviation √(2.6/inputs) that truncation brings near to
        /// √(2/inputs).
        public static func truncatedHe(inputs: Int) -> Initial {
            .truncatedNormal(deviation: (2.6 / Float(inputs)).squareRoot())
        }

        /// Glorot's for a matrix `[rows, columns]`: uniform in ±√(6/(rows + columns)).
        public static func glorot(rows: Int, columns: Int) -> Initial {
            .uniform(limit: (6 / Float(rows + columns)).squareRoot())
        }
    }

    /// The path in a checkpoint below `/model`, for example `mixing/kernel`.
    public let path: String
    /// The dimensions, row-major; kernels `[height, width, in, out]`.
    public let shape: [Int]
    /// Whether L2 regularisation applies: convolution kernels and the cell's vector.
    public let decays: Bool
    /// The value before training.
    public let initial: Initial
    /// What it is part of, which decides on the stages that train it and on its regularisation.
    public let group: ParameterGroup
    /// The order of registration, from 0.
    public let index: Int

    /// How many numbers it has.
    public var count: Int { shape.reduce(1, *) }
}

/// A named slice of the flat buffer of running statistics: saved, never trained.
public struct Statistic: Sendable {
    /// The path in a checkpoint below `/model`.
    public let path: String
    /// The value before training, 0 for means and 1 for variances.
    public let initial: Float
    let offset: Int
    /// How many channels it has.
    public let count: Int
}

/// The list of all parameters and statistics, filled while the layers are made.
public struct ParameterLayout: Sendable {
    /// The parameters in the order in which the layers asked for them: input side first.
    public private(set) var parameters: [Parameter] = []
    /// The statistics in the order in which the layers asked for them.
    public private(set) var statistics: [Statistic] = []

    /// The group of what is registered next.
    public var group: ParameterGroup

    /// Creates an empty list, which begins with a group's parameters.
    public init(_ group: ParameterGroup = ParameterGroup("model", l2Name: "l2")) {
        self.group = group
    }

    /// Begins with all of another model's, which then lie in a store of this layout as in one of
    /// their own: the other model's layers can use it.
    public init(_ group: ParameterGroup, beginningWith other: ParameterLayout) {
        self.group = group
        for parameter in other.parameters {
            _ = self.parameter(
                parameter.path, shape: parameter.shape, decays: parameter.decays,
                initial: parameter.initial)
        }
        statistics = other.statistics
    }

    /// Adds a parameter.
    public mutating func parameter(
        _ path: String, shape: [Int], decays: Bool, initial: Parameter.Initial
    ) -> Parameter {
        let parameter = Parameter(
            path: path, shape: shape, decays: decays, initial: initial, group: group,
            index: parameters.count)
        parameters.append(parameter)
        return parameter
    }

    /// Adds a running statistic of `count` channels.
    public mutating func statistic(_ path: String, count: Int, initial: Float) -> Statistic {
        let offset = statisticCount
        let statistic = Statistic(path: path, initial: initial, offset: offset, count: count)
        statistics.append(statistic)
        return statistic
    }

    /// Whether it has a parameter or statistic of such a path.
    public func contains(_ path: String) -> Bool {
        parameters.contains { $0.path == path } || statistics.contains { $0.path == path }
    }

    /// How many numbers can be trained.
    public var trainableCount: Int { parameters.reduce(0) { $0 + $1.count } }
    /// How many numbers the running statistics have.
    public var statisticCount: Int { statistics.reduce(0) { $0 + $1.count } }
}
