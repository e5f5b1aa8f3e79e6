import Layers
import Models

/// The dimensions of NASNet-A, below `model.nasnet`; the defaults are those of "NASNet-A (6 @
/// 4032)", the Large one of the paper's second system.
///
/// Source: Zoph, Vasudevan, Shlens, Le, arXiv 1707.07012; widths and wiring as TensorFlow's slim
/// has them.
public struct NASNetDimensions: Codable, Equatable, Sendable {
    /// m, channels of the first convolution.
    public var stemChannels = 96
    /// F, filters of the first group's cells; each further group has twice as many.
    public var filters = 168
    /// N, normal cells of each of the three groups.
    public var cellsPerGroup = 6
    /// Whether the first cell after a reduction takes as its second input what the reduction had as
    /// its second one, or what it had as its first.
    public var skipReductionInput = true
    /// The part of the old running statistic that stays at each step.
    public var normMomentum = 0.99
    /// Added to the variance before the square root.
    public var normEpsilon = 1e-3
    /// The part of the mean features that is left out at each step of training.
    public var dropout = 0.5
    /// The part of the branches that the last cell leaves out at the end of training; earlier cells
    /// and steps leave out less.
    public var dropPath = 0.0
    /// What strided averages divide by where their window reaches beyond the border.
    public var poolPadding = PoolPadding.excluded

    /// NASNet-A Large.
    public init() {}

    /// Groups of normal cells.
    static let groups = 3

    /// The least side of an image: a smaller one has a reduction of a single pixel.
    public static let leastImageSize = 19

    /// Channels of the features, 24F.
    public var featureChannels: Int { 24 * filters }

    /// The settings of the norms.
    ///
    /// - Parameter sync: Whether statistics are of all ranks together.
    func norms(sync: Bool) -> BatchNormConfiguration {
        var norms = BatchNormConfiguration()
        (norms.momentum, norms.epsilon, norms.sync) = (normMomentum, normEpsilon, sync)
        return norms
    }

    /// The first setting that makes no network: the key below `nasnet` and what is wrong with it.
    var problem: SettingProblem? {
        let counts = [
            ("stemChannels", stemChannels, CountRange.channels),
            ("filters", filters, CountRange.channels),
            ("cellsPerGroup", cellsPerGroup, CountRange.few),
        ]
        if let problem = SettingProblem.first(counts) { return problem }
        if filters % 4 != 0 {
            return SettingProblem("filters", "is \(filters): give a multiple of 4")
        }
        let parts = [
            ("normMomentum", normMomentum), ("dropout", dropout), ("dropPath", dropPath),
        ]
        for (key, value) in parts where !(0..<1).contains(value) {
            return SettingProblem(key, "is \(value): give at least 0 and less than 1")
        }
        if !(normEpsilon > 0 && normEpsilon <= 1) {
            return SettingProblem("normEpsilon", "is \(normEpsilon): give more than 0, at most 1")
        }
        return nil
    }
}
