import Layers
import Models
import Tensors

extension DRAMFamily {
    public func objective(
        _ stage: Stage, settings: any StageSettings, plan: StepPlan
    ) throws -> any Objective {
        switch plan.precision {
        case .float32: objective(Float.self, stage, own(settings), plan)
        case .bfloat16: objective(BFloat16.self, stage, own(settings), plan)
        }
    }

    private func objective<Element: StorageElement>(
        _: Element.Type, _ stage: Stage, _ stageSettings: DRAMStageSettings, _ plan: StepPlan
    ) -> any Objective {
        let model = DRAM<Element>(settings, imageSize: imageSize)
        let targets = ClassTargets(stageSettings, plan)
        if stage == .dramPretrain {
            return DRAMPretrainObjective(
                model, settings: stageSettings, imageCapacity: plan.imageCapacity,
                shardCapacity: plan.shardCapacity, threadCount: plan.pool.threadCount,
                targets: targets)
        }
        return DRAMObjective(
            model, settings: stageSettings, imageCapacity: plan.imageCapacity,
            shardCapacity: plan.shardCapacity, threadCount: plan.pool.threadCount,
            targets: targets)
    }

    public func trainingOperations(_ stage: Stage, settings: any StageSettings) -> Double {
        let settings = own(settings)
        let passes = settings.glimpses + (stage == .dramPretrain ? 0 : 1)
        let parts = partsOfPass.reduce(0) { sum, part in
            sum + (settings.freezes(part.path) ? 2 : 6) * Double(part.products)
        }
        return Double(settings.samples * passes) * parts
    }

    public func viewingOperations(glimpses: Int) -> Double {
        2 * Double(glimpses + 1) * Double(partsOfPass.reduce(0) { $0 + $1.products })
    }

    /// Multiplications of one pass of the glimpse network and the cells, by the parts' paths.
    private var partsOfPass: [(path: String, products: Int)] {
        let sizes = settings.dram
        var side = (geometry.glimpseSize + 1) / 2
        var channels = sizes.stemChannels
        var parts = [
            (
                "dram/glimpse/stem",
                side * side * 49 * GlimpseCut.channels * sizes.resolutions * channels
            )
        ]
        side = (side + 1) / 2
        for (group, blockCount) in sizes.blocks.enumerated() {
            let (inner, outer) = (sizes.planes[group], sizes.planes[group] * sizes.expansion)
            for block in 0..<blockCount {
                let stride = block == blockCount - 1 ? sizes.strides[group] : 1
                var products = side * side * channels * inner
                side = (side - 1) / stride + 1
                products += side * side * inner * (9 * inner + outer)
                if channels != outer { products += side * side * channels * outer }
                channels = outer
                parts.append(("dram/glimpse/group\(group)/block\(block)", products))
            }
        }
        let (u, v) = (sizes.classificationUnits, sizes.locationUnits)
        return parts + [
            ("dram/classificationCell", 4 * u * (channels + u)),
            ("dram/logits", u * settings.classes), ("dram/locationCell", 4 * v * (u + v)),
            ("dram/emission", 2 * v),
        ]
    }
}
