import Collectives
import Families
import Foundation
import Images
import Layers
import Models
import SaccaderModel
import Tensors
import TestSupport
import Testing

@testable import Host
@testable import Training

/// Plans larger than the machine, which are judged before any memory is taken.
@Suite(.serialized) struct MemoryPlanTests {
    /// The paper's network on ImageNet's images.
    private func plan(_ precision: Precision = .float32) throws -> MemoryPlan {
        let configuration = try RunConfiguration.read(.defaults, overrides: [])
        return MemoryPlan(
            configuration, precision: precision, model: configuration.model(of: .joint),
            pool: ThreadPool(threadCount: 1), imageCount: 1_000_000, scoredCount: 10_000,
            saves: true)
    }

    private var residentByteCount: Int {
        ControlGroups.words("/proc/self/statm").dropFirst().first.flatMap { Int($0) }
            .map { $0 * sysconf(Int32(_SC_PAGESIZE)) } ?? 0
    }

    @Test func aPlanTakesNoMemory() throws {
        let before = residentByteCount
        let need = try plan().need(.joint, batchSize: 256, rank: 0, of: 1)
        #expect(need.step > 20 << 30, "\(need)")
        #expect(residentByteCount - before < 256 << 20)
    }

    @Test func ranksBatchesAndPrecisionCount() throws {
        let (float, half) = (try plan(), try plan(.bfloat16))
        let alone = try float.need(.joint, batchSize: 64, rank: 0, of: 1)
        let shared = try float.need(.joint, batchSize: 64, rank: 0, of: 8)
        #expect(shared.step < alone.step / 6)
        #expect(shared.parameters == alone.parameters)
        #expect(try float.need(.joint, batchSize: 8, rank: 0, of: 1).step == shared.step)
        #expect(try half.need(.joint, batchSize: 64, rank: 0, of: 1).step < alone.step * 6 / 10)
        // Checkpoints are the first rank's business.
        #expect(shared.saving > 0)
        #expect(try float.need(.joint, batchSize: 64, rank: 1, of: 8).saving == 0)
    }

    /// What a plan says is what its objective takes.
    @Test func aPlannedStepIsTheStep() throws {
        let folder = try TemporaryFolder()
        let configuration = try RunConfiguration.read(
            .file(SmallRun.writeConfiguration(folder)), overrides: [])
        let model = configuration.model(of: .joint)
        let pool = ThreadPool(threadCount: 2)
        for (stage, _) in type(of: model).stages {
            let plan = MemoryPlan(
                configuration, precision: .float32, model: model, pool: pool, imageCount: 50,
                scoredCount: 0, saves: false)
            let settings = configuration.stages[stage]
            let objective = try model.objective(
                stage, settings: settings,
                plan: StepPlan(
                    store: ParameterStore(layout: model.layout, seed: 0), pool: pool,
                    imageCapacity: settings.batchSize, shardCapacity: 3))
            let need = try plan.need(stage, batchSize: settings.batchSize, rank: 0, of: 1)
            #expect(need.step == objective.workspace.byteCount)
        }
    }

    @Test func theLargestNumberThatFitsIsFound() {
        for most in [1, 2, 7, 63, 1000] {
            let found = HostMemory.mostThatFits(below: 5000) { $0 <= most } ?? 0
            #expect(found <= most && found * 17 >= most * 16 - 17, "\(found) of \(most)")
        }
        #expect(HostMemory.mostThatFits(below: 5000) { _ in false } == nil)
    }

    /// 6 GB and a batch of 256 images: each command says what would fit.
    @Test func everyCommandThatPlansIsRefused() throws {
        let folder = try TemporaryFolder()
        let counts = DemonstrationSet.Counts(training: 300, development: 21, validation: 10)
        try DemonstrationSet(seed: 3, counts: counts).write(to: folder.path("data")) { _, _ in }
        let paper = ["--set", "data.path=\(folder.path("data"))", "--set", "data.imageSize=224"]
        let small = folder.path("empty.yaml")
        try "seed: 1\n".write(toFile: small, atomically: true, encoding: .utf8)
        for (arguments, words) in [
            (
                ["train", "--validate", "--config", small] + paper,
                [
                    "stages.representation.batchSize is too large: 256 images on 1 rank need ",
                    "; stages.joint.batchSize is too large: ", " ranks fit, 1 on each of ",
                    " such hosts, or a batch of ",
                ]
            ),
            (
                ["bench", "step", "--config", small, "--stage", "joint", "--batch", "64"],
                ["--batch is too large: 64 images on 1 rank need ", "or a batch of "]
            ),
            (
                ["bench", "inference", "--config", small, "--batch", "512"],
                ["--batch: 512 images at a time need ", "give at most "]
            ),
        ] {
            let run = try StartedCommand(
                "saccader-dist", arguments, launcher: ["prlimit", "--as=6000000000"]
            ).wait()
            #expect(run.status == 64, "\(run.errors)")
            #expect(run.messages.count == 1, "\(run.errors)")
            for word in words { #expect(run.errors.contains(word), "\(word): \(run.errors)") }
        }
    }
}
