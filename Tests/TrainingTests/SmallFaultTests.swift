import Foundation
import Layers
import Models
import SaccaderModel
import Tensors
import Terminal
import TestSupport
import Testing

@testable import Checkpoints
@testable import Terminal
@testable import Training

/// Faults that were found by reading.
@Suite(.serialized) struct SmallFaultTests {
    /// A huge gradient is finite; what it makes of a parameter is not, and is told.
    @Test func anUpdateThatOverflowsIsTold() throws {
        let folder = try TemporaryFolder()
        let configuration = try RunConfiguration.read(
            .file(SmallRun.writeConfiguration(folder)), overrides: [])
        let model = configuration.model(of: .representation)
        let store = ParameterStore(layout: model.layout, seed: 1)
        let optimizer = Optimizer(
            stage: .representation, settings: configuration.stages[.representation], store: store)
        let pool = ThreadPool(threadCount: 2)
        store.allGradients.update(repeating: 0)
        #expect(optimizer.update(store: store, learningRate: 0.1, pool: pool))
        store.allGradients[optimizer.range.lowerBound + 5] = 3e38
        #expect(optimizer.gradientNorm(store: store).isFinite)
        #expect(!optimizer.update(store: store, learningRate: 100, pool: pool))
    }

    @Test func jsonHoldsWhateverThereIs() throws {
        let text = "a \"b\" \\ \u{1}\n\té"
        let line =
            "{\"text\": \(JSONText.string(text)), \"no\": \(JSONText.number(.nan)), "
            + "\"wrong\": \(JSONText.Stored("{a").json), \"right\": \(JSONText.Stored("{\"a\": 1}").json)}"
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["text"] as? String == text)
        #expect(object["no"] is NSNull)
        #expect(object["wrong"] as? String == "{a")
        #expect((object["right"] as? [String: Int]) == ["a": 1])
        let json: JSONLine = ["q\"": "v\"", "x": Double.infinity, "left out": String?.none]
        #expect(json.json == "{\"q\\\"\": \"v\\\"\", \"x\": null}")
    }

    @Test func aTerminalThatCannotRewriteALineGetsPlainOnes() {
        #expect(Screen.movesCursor(["TERM": "xterm"]))
        #expect(Screen.movesCursor(["TERM": "xterm", "NO_COLOR": ""]))
        #expect(!Screen.movesCursor(["TERM": "dumb"]))
        #expect(!Screen.movesCursor([:]))
        #expect(!Screen.movesCursor(["TERM": "xterm", "NO_COLOR": "1"]))
    }

    @Test func mpirunsOwnLimitLeavesTimeToSave() {
        #expect(StopRequest.launcherLimit(["MPIEXEC_TIMEOUT": "100"]) == nil)
        let ranks = ["OMPI_COMM_WORLD_RANK": "0"]
        func limit(_ text: String) -> Double? {
            StopRequest.launcherLimit(ranks.merging(["MPIEXEC_TIMEOUT": text]) { $1 })
        }
        #expect(limit("100") == 80)
        #expect(limit("3600") == 3540)
        #expect(limit("5") == 3)
        #expect(limit("soon") == nil)
    }

    @Test func aTildeIsTheUsersFolder() throws {
        #expect(
            UserPath.arguments(["train", "--output=~/run", "data.path=~/d", "~/x", "a=b~/c"])
                == [
                    "train", "--output=\(NSHomeDirectory())/run",
                    "data.path=\(NSHomeDirectory())/d", "~/x", "a=b~/c",
                ])
        let configuration = try RunConfiguration.read(
            .defaults, overrides: ["data.path=~/pictures"])
        #expect(configuration.data.path == "\(NSHomeDirectory())/pictures")
    }

    /// What threads get done is progress, though the step and its phase are the same for long.
    @Test func workIsProgress() {
        let (activity, pool) = (Activity(), ThreadPool(threadCount: 2))
        activity.watch(pool)
        let before = activity.now
        #expect(activity.now == before)
        pool.run(3) { _, _ in }
        #expect(activity.now.progress == before.progress + 1)
        #expect(activity.now.phase == before.phase)
    }

    /// "0: never" holds at the end of a stage too; the first Ctrl-C ends a look at the settings.
    @Test func neverIsNever() throws {
        let folder = try TemporaryFolder()
        let configuration = try SmallRun.writeConfiguration(folder)
        try SmallData.write(to: folder.path("data"))
        let run = try SmallRun.train(
            ranks: 1, configuration: configuration, data: folder.path("data"),
            output: folder.path("run"),
            [
                "--set", "evaluation.everyEpochs=0", "--max-steps", "2", "--stages",
                "representation",
            ])
        #expect(run.status == 0, "\(run.errors)")
        let names = try FileManager.default.contentsOfDirectory(
            atPath: folder.path("run/checkpoints"))
        #expect(names.contains("last.h5") && !names.contains("best.h5"), "\(names)")
        let metrics = try SmallRun.metrics(folder.path("run"))
        #expect(metrics.allSatisfy { $0["developmentAccuracy"] == nil })
    }

    /// LSF, SGE and submitit ask with USR2, those that count processor time with XCPU.
    @Test(arguments: [SIGUSR2, SIGXCPU])
    func schedulersHaveOtherSignals(number: Int32) throws {
        let folder = try TemporaryFolder()
        let configuration = try SmallRun.writeConfiguration(folder)
        try SmallData.write(to: folder.path("data"))
        let started = try StartedCommand(
            "saccader-dist",
            [
                "train", "--config", configuration, "--set", "data.path=\(folder.path("data"))",
                "--set", "stages.representation.epochs=100000", "--output", folder.path("run"),
                "--threads", "1", "--quiet", "--stages", "representation",
            ])
        try Waiting.lines(2, in: folder.path("run"))
        kill(started.identifier, number)
        let run = try started.wait()
        #expect(run.status == 75, "\(run.errors)")
    }

    /// HDF5 says itself what is wrong.
    @Test func hdf5IsQuoted() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("x.h5")
        try Data("\u{89}HDF".utf8).write(to: URL(fileURLWithPath: path))
        do {
            _ = try HDF5File.open(path)
            Issue.record("opened")
        } catch {
            #expect("\(error)".contains("HDF5 says: "), "\(error)")
        }
    }
}
