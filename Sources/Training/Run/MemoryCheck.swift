import Collectives
import Configuration
import Families
import Foundation
import Host
import Models

/// Whether what is planned fits on every host, asked by all ranks together before any memory is
/// taken for it.
struct MemoryCheck {
    let plan: MemoryPlan
    let communicator: any Communicator
    /// The option or settings key that says how many images a batch has.
    let key: (Stage) -> String

    /// A host with more than it can hold.
    private struct Excess {
        let host: String
        let ranks: Int
        /// Bytes that all its ranks need together, and may use.
        let need: Int
        let available: Int
    }

    /// Refuses what does not fit, saying of each stage what would.
    ///
    /// - Returns: What this rank needs, stage by stage.
    @discardableResult
    func requireMemory(_ stages: [Stage]) throws -> [StageMemory] {
        let settings = plan.configuration.stages
        try HostMemory.requireMemory(for: plan.model.layout)
        for stage in stages { try requireSmallLayers(stage) }
        let needs = try stages.map { stage in
            try plan.need(
                stage, batchSize: settings[stage].batchSize, rank: communicator.rank,
                of: communicator.size)
        }
        let hosts = try communicator.gather(ProcessInfo.processInfo.hostName)
        let local = hosts.count { $0 == hosts[communicator.rank] }
        let available = HostMemory.byteCount(processes: local)
        let all = try communicator.gather(
            [Double(available)] + needs.map { Double($0.total) })
        var problems: [String] = []
        for (index, stage) in stages.enumerated() {
            let excess = Set(hosts).compactMap { host -> Excess? in
                let ranks = hosts.indices.filter { hosts[$0] == host }
                let need = ranks.reduce(0.0) { $0 + all[$1][1 + index] }
                let available = ranks.map { all[$0][0] }.min() ?? 0
                guard need > available else { return nil }
                return Excess(
                    host: host, ranks: ranks.count, need: Int(need), available: Int(available))
            }.max { ($0.need - $0.available, $1.host) < ($1.need - $1.available, $0.host) }
            if let excess { problems.append(try problem(stage, needs[index], excess)) }
        }
        guard problems.isEmpty else {
            throw ConfigurationError(problems.joined(separator: "; "))
        }
        return needs
    }

    /// A first judgement, of what is too large even to be planned.
    private func requireSmallLayers(_ stage: Stage) throws {
        let settings = plan.configuration.stages[stage]
        let images = (settings.batchSize + communicator.size - 1) / communicator.size
        let layer = plan.model.largestLayer
        let problem = HostMemory.problem(
            images: min(images, plan.imageCount ?? images)
                * plan.model.copies(stage, settings: settings),
            imageSize: layer.side, channels: layer.channels,
            numberByteCount: plan.precision.byteCount)
        guard let problem else { return }
        throw ConfigurationError(
            key: key(stage),
            "is too large: \(problem); give a smaller one, a smaller data.imageSize, or more hosts")
    }

    private func problem(_ stage: Stage, _ need: StageMemory, _ excess: Excess) throws -> String {
        let batch = plan.configuration.stages[stage].batchSize
        let share = excess.available / excess.ranks
        let ranks = "\(excess.ranks) \(excess.ranks == 1 ? "rank" : "ranks")"
        return
            "\(key(stage)) is too large: \(batch) images on \(communicator.size) "
            + "\(communicator.size == 1 ? "rank" : "ranks") need \(need.description) a rank, "
            + "\(HostMemory.gigabytes(excess.need)) for the \(ranks) of \(excess.host), which may "
            + "use \(HostMemory.gigabytes(excess.available)): "
            + (try advice(stage, batch: batch, perHost: excess.ranks, share: share))
    }

    /// How many ranks, or which batch, would fit.
    private func advice(_ stage: Stage, batch: Int, perHost: Int, share: Int) throws -> String {
        var ranks: Int?
        var count = communicator.size
        while ranks == nil && count < batch {
            count = min(batch, 2 * count)
            let need = try plan.largestNeed(stage, batchSize: batch, rankCount: count)
            if need <= share { ranks = count }
        }
        let most = try HostMemory.mostThatFits(below: batch) {
            try plan.largestNeed(
                stage, batchSize: max(communicator.size, $0), rankCount: communicator.size)
                <= share
        }
        let size = communicator.size
        let smaller = most.flatMap { $0 < size ? nil : $0 / size * size }
        let spread = ranks.map {
            "\($0) ranks fit, \(perHost) on each of \(($0 + perHost - 1) / perHost) such hosts"
        }
        let options = [spread, smaller.map { "a batch of \($0) fits" }].compactMap { $0 }
        guard !options.isEmpty else {
            let least = try plan.need(stage, batchSize: size, rank: 0, of: size)
            return least.total - least.scoring <= share
                ? "the scores are what does not fit; give a smaller evaluation.batchSize"
                : "not even one image fits; give a smaller model or data.imageSize"
        }
        return options.joined(separator: ", or ")
    }
}
