import ArgumentParser
import Models
import Training

extension Precision: ExpressibleByArgument {
    /// The setting that a command's `--precision` stands for.
    static func override(_ precision: Precision?) -> [String] {
        precision.map { ["precision=\($0.rawValue)"] } ?? []
    }
}
