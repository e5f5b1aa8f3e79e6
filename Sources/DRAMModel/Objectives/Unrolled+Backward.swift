import Layers
import Tensors

extension Unrolled {
    /// Where the gradients of all steps lie during a backward pass. No gradient passes through
    /// cutting: it goes back from step to step through the cells alone, and only then, all steps
    /// together and layer by layer, through the glimpse network.
    struct Gradients: Sendable {
        /// The gradient of each glimpse's logits; nil where the cross entropy does not read them.
        let logits: [Tensor<Element>?]
        /// The gradient of m_t, `[N, 1, 1, 2]`; the objective writes it, empty without a policy.
        let means: [Tensor<Float>]
        let stop: DRAMStageSettings.StopGradient
        /// The gradient of the classification cell's output at each step, through the logits.
        fileprivate let throughLogits: [Tensor<Element>?]
        /// The gradient of the location cell's output at each step but the last, through the emission; none where
        /// no gradient of that cell is wanted.
        fileprivate let throughEmission: [Tensor<Element>]
        /// None where no gradient of the cell is wanted, as of the location cell.
        fileprivate let classification: [LSTMCell<Element>.Gradients]
        fileprivate let location: [LSTMCell<Element>.Gradients]
        /// The gradient of the classification cell's output through the location cell, of one step.
        fileprivate let throughLocation: Tensor<Element>?
        fileprivate let carriedClassification: LSTMCell<Element>.Carried
        fileprivate let carriedLocation: LSTMCell<Element>.Carried?
        /// The steps whose classification cell a gradient reaches, and the glimpse network's
        /// gradients for each; none where it is not trained.
        fileprivate let reached: Range<Int>
        fileprivate let glimpse: [PreActivationTrunk<Element>.Gradients]
        /// The gradient of each step's features, where wanted.
        fileprivate let features: [Tensor<Element>]
    }

    /// Reserves the gradients; what forward and loss need has been reserved before.
    ///
    /// - Parameter classified: The glimpses whose logits have a gradient.
    func planBackward(
        classified: Range<Int>, stop: DRAMStageSettings.StopGradient, in workspace: Workspace
    ) -> Gradients {
        let arena = workspace.arena
        steps.first?.glimpse.window.release()
        func like<Value>(_ tensor: Tensor<Value>) -> Tensor<Value> {
            Tensor(tensor.shape, in: arena)
        }
        let classifiedSteps = steps.indices.map { classified.contains($0 - contextCount) }
        let trainsGlimpse = !frozen.glimpse && stop != .afterGlimpse
        let wantsClassification = trainsGlimpse || !frozen.classificationCell
        // The last step's place is not looked at.
        let choosing = contextCount > 0 ? steps.dropLast() : []
        let throughPolicy = wantsClassification && stop != .betweenCells
        let wantsLocation = !choosing.isEmpty && (throughPolicy || !frozen.locationCell)
        // The context's classification state goes into the location cell alone.
        let first = stop == .betweenCells ? contextCount : 0
        let reached = wantsClassification ? first..<steps.count : 0..<0
        let features = trainsGlimpse ? steps.map { like($0.features) } : []
        return Gradients(
            logits: logits.enumerated().map { classified.contains($0) ? like($1) : nil },
            means: choosing.compactMap { $0.state.mean.map(like) },
            stop: stop,
            throughLogits: steps.indices.map {
                classifiedSteps[$0] && wantsClassification
                    ? like(steps[$0].state.classification.output) : nil
            },
            throughEmission: wantsLocation
                ? choosing.compactMap { $0.state.location.map { like($0.output) } } : [],
            classification: wantsClassification
                ? steps.map { _ in model.classificationCell.planBackward(in: workspace) } : [],
            location: wantsLocation
                ? choosing.map { _ in model.locationCell.planBackward(in: workspace) } : [],
            throughLocation: wantsLocation && throughPolicy
                ? like(steps[0].state.classification.output) : nil,
            carriedClassification: model.classificationCell.planCarried(in: workspace),
            carriedLocation: wantsLocation ? model.locationCell.planCarried(in: workspace) : nil,
            reached: reached,
            glimpse: trainsGlimpse
                ? model.glimpse.planBackward(
                    reached.map { (steps[$0].glimpse.network, features[$0]) }, in: workspace)
                : [],
            features: features)
    }

    /// The gradients of all parameters from those of logits and means.
    ///
    /// - Parameters:
    ///   - images: As in forward.
    ///   - pass: Over the images.
    func backward(_ gradients: Gradients, images: [Float], pass imagePass: Pass) throws {
        let pass = imagePass.repeated(samples)
        backwardHeads(gradients, pass: pass)
        // The glimpse network's gradients come last: until then their memory is free.
        let kept = pass.workspace.keptWeights
        kept.start(in: memory(ofGradients: model.glimpseParameters, pass.store))
        for index in steps.indices.reversed() { backwardStep(index, gradients, pass: pass) }
        kept.stop()
        if contextCount > 0 && !frozen.locationCell {
            model.locationCell.backwardParameters(
                gradients.location.indices.map { index in
                    .init(
                        gradients: gradients.location[index],
                        input: steps[index].state.classification.output,
                        previous: index > 0 ? steps[index - 1].state.location : nil)
                }, pass: pass)
        }
        if !frozen.classificationCell {
            model.classificationCell.backwardParameters(
                gradients.reached.map { index in
                    .init(
                        gradients: gradients.classification[index], input: steps[index].features,
                        previous: classificationState(before: index))
                }, pass: pass)
        }
        if frozen.glimpse { return }
        if gradients.stop == .afterGlimpse {
            pass.completeWithoutGradient(model.glimpseParameters)
        } else {
            try model.glimpse.backward(
                zip(gradients.reached, gradients.glimpse).map { (steps[$0].glimpse.network, $1) },
                pass: pass
            ) { use, window in
                cut(
                    images, step: gradients.reached.lowerBound + use, into: window,
                    pass: imagePass)
            }
        }
    }

    /// logits_t = h·W + b and m = s·tanh(h·W + b), all t at once.
    private func backwardHeads(_ gradients: Gradients, pass: Pass) {
        if contextCount > 0 {
            var uses: [Emission.Use<Element>] = []
            for (index, gradient) in gradients.means.enumerated() {
                guard let location = steps[index].state.location,
                    let means = steps[index].state.mean
                else { continue }
                uses.append(
                    .init(
                        input: location.output, means: means, gradient: gradient,
                        inputGradient: gradients.throughEmission.isEmpty
                            ? nil : gradients.throughEmission[index]))
            }
            model.emission.backward(uses, isTrained: !frozen.emission, pass: pass)
        }
        var uses: [PointwiseConvolution<Element>.Use] = []
        for (glimpse, gradient) in gradients.logits.enumerated() {
            let step = glimpse + contextCount
            guard let gradient else { continue }
            uses.append(
                .init(
                    GradientSource(stored: gradient),
                    inputs: [Activation(final: steps[step].state.classification.output)],
                    sinks: [gradients.throughLogits[step].map { GradientSink($0) }]))
        }
        if !frozen.logits {
            model.logits.backward(uses, pass: pass)
        } else if !gradients.classification.isEmpty {
            for use in uses { model.logits.backwardInputs(use, pass: pass) }
        }
    }

    private func classificationState(before index: Int) -> LSTMCell<Element>.Buffers? {
        index > contextCount ? steps[index - 1].state.classification : nil
    }

    /// One step's cells, from the last glimpse to the context.
    private func backwardStep(_ index: Int, _ gradients: Gradients, pass: Pass) {
        var outputs = gradients.throughLogits[index].map { [$0] } ?? []
        if let part = backwardLocation(index, gradients, pass: pass) { outputs.append(part) }
        guard gradients.reached.contains(index) else { return }
        let step = steps[index]
        model.classificationCell.backward(
            step.state.classification, gradients.classification[index], input: step.features,
            after: classificationState(before: index), outputs: outputs,
            carried: gradients.carriedClassification,
            // What follows the context does not know its state.
            isLast: index == steps.count - 1 || index < contextCount,
            sink: gradients.features.isEmpty ? nil : GradientSink(gradients.features[index]),
            pass: pass)
    }

    /// One step's location cell; returns the gradient of its input where there is one.
    private func backwardLocation(
        _ index: Int, _ gradients: Gradients, pass: Pass
    ) -> Tensor<Element>? {
        guard gradients.location.indices.contains(index),
            let location = steps[index].state.location,
            let carried = gradients.carriedLocation
        else { return nil }
        let inputGradient = gradients.throughLocation
        model.locationCell.backward(
            location, gradients.location[index], input: steps[index].state.classification.output,
            after: index > 0 ? steps[index - 1].state.location : nil,
            outputs: [gradients.throughEmission[index]], carried: carried,
            isLast: index == gradients.location.count - 1,
            sink: inputGradient.map { GradientSink($0) }, pass: pass)
        return inputGradient
    }
}
