import Foundation
import Images
import TestSupport
import Testing

@testable import Training

/// Settings for small sets that cannot be used: one line that names the key.
@Suite(.serialized) final class SmallSetSettingsTests {
    private let folder: TemporaryFolder
    private let configuration: String
    private let data: String

    init() throws {
        folder = try TemporaryFolder()
        configuration = try SmallRun.writeConfiguration(folder)
        data = folder.path("data")
        try SmallData.write(to: data)
    }

    /// All of the demonstration's classes.
    private static let noWeight = (0..<5).flatMap { first in
        (first + 1..<5).map { "digits-\(first)-\($0): 0" }
    }.joined(separator: ", ")

    @Test(arguments: [
        ("data.crop.area=[0, 1]", "data.crop.area is [0.0, 1.0]: give two parts"),
        ("data.crop.area=[0.5]", "data.crop.area is [0.5]: give two parts"),
        ("data.crop.area=[0.5, 1.5]", "data.crop.area is [0.5, 1.5]"),
        ("data.crop.aspect=[2, 1]", "data.crop.aspect is [2.0, 1.0]"),
        ("data.crop.area=0.5", "data.crop.area must be a list"),
        ("data.flip=vertical", "must be one of auto, horizontal, both, none"),
        ("data.colorJitter.hue=0.6", "data.colorJitter.hue is 0.6: give at least 0 and at most"),
        ("data.colorJitter.brightness=-1", "data.colorJitter.brightness is -1.0"),
        ("data.colorJitter=0.4", "data.colorJitter must be a group of keys"),
        ("data.colorJitter.gamma=1", "data.colorJitter.gamma is not a setting"),
        (
            "stages.joint.labelSmoothing=1.1",
            "stages.joint.labelSmoothing is 1.1: give at least 0 and at most 1"
        ),
        ("stages.joint.gradientClip=-1", "stages.joint.gradientClip is -1.0"),
        ("stages.joint.ema.decay=1", "stages.joint.ema.decay is 1.0: give at least 0 and less"),
        ("stages.joint.ema.warmup=-1", "stages.joint.ema.warmup is -1.0"),
        ("stages.joint.classWeights=automatic", "must be none, auto, {name: number}"),
        ("stages.joint.classWeights={}", "must be none, auto, {name: number}"),
        ("stages.joint.classWeights={3: -1}", "stages.joint.classWeights.3 is -1.0"),
        ("stages.joint.classWeights={3: heavy}", "stages.joint.classWeights.3 must be a number"),
        (
            "stages.joint.classWeights={digits-3-5: 2}",
            "classWeights.digits-3-5 is no class: there are 10; did you mean \"digits-3-4\"?"
        ),
        (
            "stages.joint.classWeights={\(noWeight)}",
            "stages.joint.classWeights leaves no class a weight"
        ),
        ("stages.location.classWeights=auto", "stages.location.classWeights is of no use"),
        ("stages.location.labelSmoothing=0.1", "stages.location.labelSmoothing is of no use"),
        ("stages.dram.labelSmoothing=-0.1", "stages.dram.labelSmoothing is -0.1"),
        ("stages.classifier.ema.decay=-0.1", "stages.classifier.ema.decay is -0.1"),
    ])
    func isNamed(setting: String, words: String) throws {
        let stages =
            setting.contains("classifier")
            ? "classifier"
            : setting.contains("dram") ? "dramPretrain,dram" : "representation,location,joint"
        let run = try CommandRun(
            "saccader-dist",
            [
                "train", "--config", configuration, "--set", "data.path=\(data)", "--set", setting,
                "--output", folder.path("x"), "--stages", stages, "--validate", "--quiet",
            ])
        #expect(run.status == 64, "\(run.errors)")
        #expect(run.messages.count == 1 && run.errors.contains(words), "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("x")))
    }

    /// Weights by name in a file and on the command line, also of names that are numbers, as they
    /// come out of `--validate` and go in again.
    @Test func weightsByNameJoinAndAreReadAgain() throws {
        for subset in ["train", "dev", "val"] {
            for (old, new) in [("digits-0-1", "0"), ("digits-0-4", "3"), ("digits-2-3", "7")] {
                try FileManager.default.moveItem(
                    atPath: "\(data)/\(subset)/\(old)", toPath: "\(data)/\(subset)/\(new)")
            }
        }
        let own = folder.path("own.yaml")
        let text = SmallRun.configuration.replacing(
            "  joint: {", with: "  joint: {classWeights: {0: 2, \"3\": 0.5}, ")
        try text.write(toFile: own, atomically: false, encoding: .utf8)
        func resolved(_ configuration: String, _ more: [String]) throws -> String {
            let run = try CommandRun(
                "saccader-dist",
                [
                    "train", "--config", configuration, "--set", "data.path=\(data)", "--validate",
                    "--quiet", "--output", folder.path("x"),
                ] + more)
            #expect(run.status == 0, "\(run.errors)")
            return run.output
        }
        let first = try resolved(own, ["--set", "stages.joint.classWeights.7=4"])
        #expect(first.contains("classWeights:\n      0: 2") || first.contains("'0': 2"), "\(first)")
        let again = folder.path("again.yaml")
        try first.write(toFile: again, atomically: false, encoding: .utf8)
        #expect(try resolved(again, []) == first)
        // A word takes the place of all.
        let none = try resolved(again, ["--set", "stages.joint.classWeights=none"])
        #expect(!none.contains("'7': 4") && !none.contains("7: 4"))
    }

    /// Written down and read again, as they are at the start of each run.
    @Test func theDefaultsStayWhatTheyAre() throws {
        let data = try RunConfiguration.read(.defaults, overrides: []).data
        #expect(data.crop == CropConfiguration())
        #expect(data == DataConfiguration())
        let given = try RunConfiguration.read(
            .defaults, overrides: ["data.crop.aspect=[0.75, 1.333]"])
        #expect(given.data.crop.aspect == [0.75, 1.333])
    }

    @Test func aCropWithoutCropsIsToldOf() throws {
        let run = try CommandRun(
            "saccader-dist",
            [
                "train", "--config", configuration, "--set", "data.path=\(data)", "--validate",
                "--set", "data.augmentation=none", "--set", "data.crop.area=[0.5, 1]", "--quiet",
                "--output", folder.path("x"),
            ])
        #expect(run.status == 0)
        #expect(run.messages.count == 1, "\(run.errors)")
        #expect(run.errors.contains("data.crop has no effect, as data.augmentation is none"))
    }

    @Test func aSheetShowsTheImagesOfTheRun() throws {
        let sheet = folder.path("sheet.png")
        let run = try CommandRun(
            "saccader-dist",
            [
                "dataset", "show", "--config", configuration, "--data", data, "--set",
                "data.flip=both", "--images", "3", "--epochs", "2", "--output", sheet,
            ])
        #expect(run.status == 0, "\(run.errors)")
        #expect(
            run.output.contains(
                "3 of 50 training images as evaluation sees them and in the first 2 epochs of stage "
                    + "representation"), "\(run.output)")
        let png = try Data(contentsOf: URL(fileURLWithPath: sheet))
        #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        for (option, status) in [
            (["--images", "0"], 64), (["--epochs", "99"], 64), (["--stage", "x"], 64),
            (["--data", "/nowhere"], 66), (["--output", "/proc/x/sheet.png"], 73),
        ] {
            let bad = try CommandRun(
                "saccader-dist",
                ["dataset", "show", "--config", configuration, "--data", data, "--output", sheet]
                    + option)
            #expect(bad.status == status, "\(option): \(bad.errors)")
            #expect(bad.messages.count == 1, "\(bad.errors)")
        }
    }
}
