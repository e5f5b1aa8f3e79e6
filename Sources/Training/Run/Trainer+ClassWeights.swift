import Checkpoints
import Configuration
import Families
import Images
import Models

extension Trainer {
    /// The weights of the logits' classes in each stage's cross entropy; none for stages where all
    /// are 1.
    ///
    /// - Parameter names: What the logits stand for.
    static func classWeights(
        _ configuration: RunConfiguration, stages: [Stage], images: ImageSet,
        names: [KnownClass]
    ) throws -> [Stage: [Double]] {
        var weights: [Stage: [Double]] = [:]
        for stage in stages {
            let setting = configuration.stages[stage].classWeights
            if setting == .none { continue }
            let counts = setting == .auto ? counts(images, classes: names.count) : nil
            weights[stage] = try setting.weights(of: stage, names: names, counts: counts)
        }
        return weights
    }

    /// How many images show each logit's class.
    private static func counts(_ images: ImageSet, classes: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: classes)
        for place in images.entries.indices { counts[Int(images.label(place))] += 1 }
        return counts
    }
}

extension ClassWeights {
    /// The weights of a stage's classes.
    ///
    /// - Throws: A `ConfigurationError` that names what does not fit.
    func weights(
        of stage: Stage, names: [KnownClass], counts: [Int]?
    ) throws(ConfigurationError) -> [Double] {
        let key = "stages.\(stage.name).classWeights"
        switch values(
            names: names.map { (name: $0.name, words: $0.words) }, counts: counts
        ) {
        case .success(let values): return values
        case .failure(.unknown(let name)):
            let known = names.map(\.name).filter { !$0.isEmpty }
            let nearest = EditDistance.nearest(to: name, among: known)
            throw ConfigurationError(
                key: "\(key).\(name)",
                "is no class: there are \(known.count)"
                    + (nearest.map { "; did you mean \"\($0)\"?" } ?? ""))
        case .failure(.allZero):
            throw ConfigurationError(
                key: key, "leaves no class a weight: give one that is more than 0")
        case .failure(.uncounted):
            throw ConfigurationError(
                key: key,
                "is auto, but how many images show each class is not known here: give the weights "
                    + "by name")
        }
    }
}
