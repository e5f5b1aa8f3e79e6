import Configuration
import Foundation
import Models
import ResNetModel
import SaccaderModel
import TestSupport
import Testing

@testable import Training

/// Settings that no network, image or machine has: one line that names the key, before anything is
/// computed with them.
@Suite(.serialized) struct AbsurdSettingsTests {
    private static let most = "9223372036854775807"

    @Test(arguments: [
        "model.classes=0", "model.classes=-1", "model.classes=\(most)",
        "model.classes=1000000000000", "model.mixedFeatures=1000000000000",
        "model.representation.stemChannels=100000000000",
        "model.representation.planes=[8,100000000000]", "model.representation.planes=[]",
        "model.representation.blocks=[1,1000000000]",
        "model.representation.strides=[\(most),\(most)]",
        "model.representation.expansion=4611686018427387904",
        "model.representation.lowDDivisor=\(most)", "model.attention.groups=64",
        "model.attention.layersPerGroup=1000000000", "model.attention.dilation=\(most)",
        "model.batchNorm.epsilon=1e300", "model.classifier.stemChannels=\(most)",
        "data.imageSize=-5", "data.imageSize=8", "data.imageSize=\(most)",
        "data.centralCropMargin=-65", "data.centralCropMargin=\(most)", "data.workers=100000",
        "stages.joint.batchSize=\(most)", "stages.joint.shardSize=\(most)",
        "stages.joint.samples=1000000000000", "stages.joint.glimpses=\(most)",
        "stages.joint.epochs=1e300", "stages.joint.warmupEpochs=1e300",
        "stages.joint.reinforceWeight=-1", "stages.joint.learningRate=.nan",
        "stages.joint.learningRate=.inf", "checkpoint.everySteps=-1",
        "checkpoint.everyMinutes=-1", "evaluation.everyEpochs=\(most)",
        "evaluation.everyEpochs=-1", "evaluation.glimpses=-1", "evaluation.glimpses=100000",
        "evaluation.batchSize=\(most)", "seed=-1",
    ])
    func anAbsurdSettingIsNamed(setting: String) throws {
        // Small lists, so that those of the setting fit the others.
        let small = [
            "planes=[8,16]", "blocks=[1,1]", "strides=[2,2]", "kernel3=[1,1]", "stemChannels=8",
        ].map { "model.representation.\($0)" }
        // The text of the class that is wrong with it stands in the setting's own words.
        let key = setting.split(separator: "=")[0]
        do {
            _ = try RunConfiguration.read(
                .demonstration, overrides: small + [setting],
                for: [.representation, .location, .joint, .classifier])
            Issue.record("\(setting) is taken")
        } catch let error as ConfigurationError {
            let named = error.description.contains(key)
            // Of several settings that do not fit, one is named.
            let isTogether = ["batchNorm", "planes", "imageSize", "blocks"].contains {
                error.description.contains($0)
            }
            #expect(named || isTogether, "\(error)")
            #expect(!error.description.contains("DecodingError"), "\(error)")
        }
    }

    /// What fits the integers and not the machine.
    @Test func whatIsLargerThanTheMemoryIsRefused() throws {
        let folder = try TemporaryFolder()
        let configuration = try SmallRun.writeConfiguration(folder)
        try SmallData.write(to: folder.path("data"))
        for (settings, words) in [
            (
                ["planes=[100000,100000]", "expansion=1000"],
                ["model has ", " parameters, which need more than "]
            ),
            (
                ["stemChannels=100000"],
                ["stages.representation.batchSize is too large: 12 images of 8192² pixels need "]
            ),
        ] {
            let run = try SmallRun.train(
                ranks: 1, configuration: configuration, data: folder.path("data"),
                output: folder.path("run"),
                ["--set", "data.imageSize=8192"]
                    + settings.flatMap { ["--set", "model.representation.\($0)"] })
            #expect(run.status == 64, "\(run.errors)")
            #expect(run.messages.count == 1, "\(run.errors)")
            for word in words { #expect(run.messages.first?.contains(word) == true, "\(word)") }
        }
    }

    @Test func absurdOptionsAreRefused() throws {
        for (command, word) in [
            ("bench step --batch \(Self.most)", "--batch is \(Self.most): give at most "),
            ("bench step --threads 1000000", "--threads is 1000000: give at most 1024"),
            ("bench data --data x --size 1000000000", "--size is 1000000000: give at most 8192"),
            ("bench step --batch 1000000000", "need more than "),
            ("bench inference --batch 1000000000", "need more than "),
            ("train --threads 1000000", "--threads is 1000000: give at most 1024"),
            ("train --stages ,", "--stages: names no stage; choose from representation"),
        ] {
            let run = try CommandRun(
                "saccader-dist", command.split(separator: " ").map(String.init))
            #expect(run.status == 64, "\(command): \(run.errors)")
            #expect(run.messages.count == 1, "\(run.errors)")
            #expect(run.errors.contains(word), "\(command): \(run.errors)")
        }
    }
}
