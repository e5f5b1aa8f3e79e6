import Checkpoints
import Foundation
import Images
import Layers
import Models
import StoredModels
import Tensors
import TestSupport
import Testing

@testable import Training

/// Public weights become checkpoints that compute what the public programs do.
@Suite(.serialized) struct ImportTests {
    private static func weights(_ name: String) throws -> String {
        let url = Bundle.module.url(
            forResource: name, withExtension: "safetensors", subdirectory: "Fixtures")
        return try #require(url).path
    }

    private func imported(
        _ name: String, as network: String, _ options: WeightImport.Options = .init(),
        _ folder: TemporaryFolder
    ) throws -> String {
        let path = folder.path("\(name).h5")
        try WeightImport(try Self.weights(name), as: network, options: options).write(to: path)
        return path
    }

    /// Standardised images of pixels in [0, 1].
    private static func standardized(_ file: HDF5File) throws -> [Float] {
        try file.doubles("/pixels").enumerated().map { index, value in
            let channel = index % 3
            let scale = PixelScale.standard
            return Float((value - scale.mean[channel]) / scale.deviation[channel])
        }
    }

    /// Models do not know the module of images, so they name its numbers once more.
    @Test func imagesAreStandardisedByTheNumbersThatModelsKnow() {
        #expect(Preparation.mean == [0.485, 0.456, 0.406])
        #expect(Preparation.deviation == [0.229, 0.224, 0.225])
    }

    @Test(arguments: [("nasnet-timm", "nasnet"), ("resnetv2-timm", "resnetv2")])
    func allNumbersArrive(name: String, network: String) throws {
        let folder = try TemporaryFolder()
        let checkpoint = try Checkpoint(
            reading: imported(name, as: network, .init(), folder))
        try checkpoint.verify()
        let expected = try HDF5File.open(try Fixture.path(name))
        let names = expected.datasets(under: "/model")
        #expect(checkpoint.file.datasets(under: "/model") == names)
        for name in names {
            #expect(
                try checkpoint.file.shape(of: "/model/\(name)")
                    == expected.shape(of: "/model/\(name)"), "\(name)")
            #expect(
                try checkpoint.file.floats("/model/\(name)") == expected.floats("/model/\(name)"),
                "\(name)")
        }
    }

    /// Without a model that says where, the whole image is the patch.
    @Test(arguments: [("logits", "excluded"), ("stockLogits", "zeros")])
    func aNASNetAnswersAsThePublicOne(array: String, padding: String) throws {
        let folder = try TemporaryFolder()
        let expected = try HDF5File.open(try Fixture.path("nasnet-timm"))
        let shape = try expected.shape(of: "/pixels")
        let batch = try HDF5File.create(for: folder.path("batch.h5"))
        try batch.write("/batch/images", shape: shape, floats: try Self.standardized(expected))
        try batch.image().write(to: folder.path("batch.h5"))
        let output = folder.path("trace.h5")
        try Trace(
            checkpointPath: try imported("nasnet-timm", as: "nasnet", .init(), folder),
            batchPath: folder.path("batch.h5"),
            overrides: [
                "data.imageSize=\(shape[1])", "model.nasnet.poolPadding=\(padding)",
            ], threadCount: 1
        ).write(try #require(TraceObjective(named: "glimpseInference")), to: output)
        let found = try HDF5File.open(output).doubles("/trace/prediction")
        #expect(relativeDifference(found, try expected.doubles("/\(array)")) < 1e-4)
    }

    @Test func aResNetAnswersAsThePublicOneWithABackgroundToo() throws {
        let folder = try TemporaryFolder()
        let expected = try HDF5File.open(try Fixture.path("resnetv2-timm"))
        let shape = try expected.shape(of: "/pixels")
        for classes in [6, 7] {
            var options = WeightImport.Options()
            options.classes = classes
            options.overrides = ["data.imageSize=\(shape[1])"]
            let stored = try StoredModel(
                Checkpoint(reading: imported("resnetv2-timm", as: "resnetv2", options, folder)))
            #expect(stored.stage.name == "classifier")
            let viewer = try stored.model.viewer(
                ViewPlan(
                    store: stored.store, pool: ThreadPool(threadCount: 1),
                    imageCapacity: shape[0], shardSize: 2, glimpses: 0, policies: [:], seed: 0))
            let views = try viewer(
                ViewedImages(
                    standardized: try Self.standardized(expected), pixels: [],
                    identifiers: Array(0..<shape[0])), wantsMap: false)
            let logits = views.flatMap { ($0.whole ?? []).suffix(6) }
            #expect(relativeDifference(logits, try expected.floats("/logits")) < 1e-4)
            if classes == 7 {
                #expect(views.allSatisfy { $0.whole?.first == -100 })
            }
        }
    }

    @Test func whatDoesNotFitIsRefusedInOneLineAndNothingIsWritten() throws {
        let folder = try TemporaryFolder()
        let output = folder.path("out.h5")
        func refused(_ arguments: [String], status: Int32, _ words: String) throws {
            let run = try CommandRun(
                "saccader-dist", ["import"] + arguments + ["--output", output])
            #expect(run.status == status, "\(run.errors)")
            #expect(run.messages.count == 1 && run.errors.contains(words), "\(run.errors)")
            #expect(!FileManager.default.fileExists(atPath: output))
        }
        let (nasnet, residual) = (
            try Self.weights("nasnet-timm"), try Self.weights("resnetv2-timm")
        )
        try refused([nasnet, "--as", "resnetv2"], status: 65, "not the weights of a resnetv2_50")
        try refused([residual, "--as", "nasnet"], status: 65, "not the weights of a nasnetalarge")
        try refused(
            [residual, "--as", "resnetv2", "--classes", "9"], status: 65,
            "has 6 classes, --classes is 9: give 6, 7 for a background class, or --new-logits")
        try refused([residual, "--as", "vit"], status: 64, "choose from")
        try refused([folder.path("none"), "--as", "nasnet"], status: 66, "no such file")
        let checkpoint = try Fixture.path("residual")
        try refused([checkpoint, "--as", "nasnet"], status: 65, "is HDF5, not safetensors")
        let run = try CommandRun(
            "saccader-dist",
            [
                "import", residual, "--as", "resnetv2", "--classes", "9", "--new-logits",
                "--output", output,
            ])
        #expect(run.status == 0, "\(run.errors)")
        #expect(
            try HDF5File.open(output).shape(of: "/model/classifier/logits/kernel").last == 9)
    }
}
