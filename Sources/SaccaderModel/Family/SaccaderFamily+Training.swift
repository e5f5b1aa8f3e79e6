import Layers
import Models
import Tensors

extension SaccaderFamily {
    public func objective(
        _ stage: Stage, settings: any StageSettings, plan: StepPlan
    ) throws -> any Objective {
        switch plan.precision {
        case .float32: try objective(Float.self, stage, own(settings), plan)
        case .bfloat16: try objective(BFloat16.self, stage, own(settings), plan)
        }
    }

    private func objective<Element: StorageElement>(
        _: Element.Type, _ stage: Stage, _ stageSettings: SaccaderStageSettings, _ plan: StepPlan
    ) throws -> any Objective {
        let model = Saccader<Element>(settings)
        let (images, shards) = (plan.imageCapacity, plan.shardCapacity)
        let targets = ClassTargets(stageSettings, plan)
        if stage == .representation {
            let objective = RepresentationObjective(
                model, freeze: stageSettings.freeze, imageSize: imageSize, imageCapacity: images,
                shardCapacity: shards, threadCount: plan.pool.threadCount, targets: targets)
            try objective.fold(plan.store, pool: plan.pool)
            return objective
        }
        if stage == .location {
            return try LocationObjective(
                model, settings: stageSettings, store: plan.store, pool: plan.pool,
                imageSize: imageSize, imageCapacity: images, shardCapacity: shards)
        }
        if settings.cell.soft {
            let objective = SoftJointObjective(
                model, settings: stageSettings, imageSize: imageSize, imageCapacity: images,
                shardCapacity: shards, threadCount: plan.pool.threadCount, targets: targets)
            try objective.fold(plan.store, pool: plan.pool)
            return objective
        }
        let objective = JointObjective(
            model, settings: stageSettings, imageSize: imageSize, imageCapacity: images,
            shardCapacity: shards, threadCount: plan.pool.threadCount, targets: targets)
        try objective.fold(plan.store, pool: plan.pool)
        return objective
    }
}
