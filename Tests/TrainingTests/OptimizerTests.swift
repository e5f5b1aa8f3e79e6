import Layers
import Models
import Tensors
import Testing

@testable import SaccaderModel
@testable import Training

/// Two updates by hand: v ← μv + g, θ ← θ − rate·(g + μv), g with λθ on kernels only.
@Test(arguments: [Stage.representation, .location, .joint])
func updatesAreNesterovsWithDecayOnKernels(stage: Stage) throws {
    var configuration = SaccaderSettings()
    configuration.classes = 3
    configuration.mixedFeatures = 4
    configuration.representation.stemChannels = 2
    configuration.representation.planes = [2]
    configuration.representation.blocks = [1]
    configuration.representation.strides = [1]
    configuration.representation.kernel3 = [1]
    let model = Saccader<Float>(configuration)
    let store = ParameterStore(layout: model.layout, seed: 1)
    var settings = SaccaderStageSettings(stage)
    (settings.momentum, settings.l2, settings.l2Location) = (0.8, 0.25, 0.5)
    let optimizer = Optimizer(stage: stage, settings: settings, store: store)
    let trained = model.layout.parameters.filter { parameter in
        let isRepresentation = parameter.path.hasPrefix("representation/")
        return stage == .joint || isRepresentation == (stage == .representation)
    }
    #expect(Set(optimizer.parameters.map(\.path)) == Set(trained.map(\.path)))

    func read(_ parameter: Parameter) -> [Double] {
        (0..<parameter.count).map { Double(store.values(parameter)[$0]) }
    }
    var expected = Dictionary(
        uniqueKeysWithValues: model.layout.parameters.map { ($0.path, read($0)) })
    var velocity: [String: [Double]] = [:]
    for (step, rate) in [0.1, 0.05].enumerated() {
        var penalties = (representation: 0.0, location: 0.0)
        for parameter in model.layout.parameters {
            for index in 0..<parameter.count {
                store.gradient(parameter)[index] = Float(index % 5) - 2 + Float(step)
            }
            guard trained.contains(where: { $0.path == parameter.path }) else { continue }
            let isRepresentation = parameter.path.hasPrefix("representation/")
            let decay = parameter.decays ? (isRepresentation ? 0.25 : 0.5) : 0
            var values = expected[parameter.path] ?? []
            var speeds = velocity[parameter.path] ?? [Double](repeating: 0, count: values.count)
            for index in values.indices {
                let penalty = 0.5 * decay * values[index] * values[index]
                if isRepresentation {
                    penalties.representation += penalty
                } else {
                    penalties.location += penalty
                }
                let gradient = Double(index % 5) - 2 + Double(step) + decay * values[index]
                speeds[index] = 0.8 * speeds[index] + gradient
                values[index] -= rate * (gradient + 0.8 * speeds[index])
            }
            (expected[parameter.path], velocity[parameter.path]) = (values, speeds)
        }
        let penalty = optimizer.addDecay(store: store)
        #expect(abs(penalty[.representation] - penalties.representation) < 1e-4)
        #expect(abs(penalty[.location] - penalties.location) < 1e-4)
        #expect(
            optimizer.update(
                store: store, learningRate: rate, pool: ThreadPool(threadCount: 2)))
    }
    for parameter in model.layout.parameters {
        for (found, wanted) in zip(read(parameter), expected[parameter.path] ?? []) {
            #expect(abs(found - wanted) < 1e-5, "\(parameter.path)")
        }
    }
}
