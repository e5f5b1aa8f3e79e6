import Foundation
import TestSupport
import Testing

@testable import Images

/// How images are divided into those to train on, to choose by and to report on, and what is said of
/// it.
@Suite struct DivisionTests {
    private let small: SmallImageNet

    init() throws { small = try SmallImageNet() }

    /// Ten images of each of two classes, in folders of the classes alone.
    private func writeClasses(_ root: String, count: Int = 10) throws {
        let picture = try fixtureBytes("grey.png")
        for name in ["cat", "dog"] {
            for number in 0..<count {
                let bytes = picture + Array(name.utf8) + [UInt8(number)]
                try small.write(bytes, to: "\(root)/\(name)/\(number).png")
            }
        }
    }

    private func names(_ index: String, _ subset: Subset) throws -> [String] {
        try small.open(index)[subset].entries.map(\.name)
    }

    @Test func aPartOfEachClassIsForValidation() throws {
        try writeClasses("set")
        let summary = try small.index(["set"], output: "index") { $0.developmentFraction = 0.25 }
        #expect(summary.counts == [.train: 12, .dev: 4, .val: 4])
        #expect(summary.layouts.count == 2)
        #expect(summary.layouts[0].hasSuffix("set: each of 2 (cat, dog) is a class"))
        #expect(summary.layouts[1].hasPrefix("val: the fraction 0.2 of each class"))
        let header = try ImageIndex(reading: small.path("index")).header
        #expect(header.validationFraction == 0.2 && header.developmentFraction == 0.25)
        let held = try names("index", .val)
        #expect(held.count { $0.hasPrefix("cat/") } == 2)
        // The same again; other ones by another seed; more with more, the first ones among them.
        _ = try small.index(["set"], output: "again") { $0.developmentFraction = 0.25 }
        #expect(try Content(small.open("again")) == Content(small.open("index")))
        _ = try small.index(["set"], output: "other") { $0.seed = 1 }
        #expect(try names("other", .val) != held)
        _ = try small.index(["set"], output: "more") { $0.validationFraction = 0.5 }
        #expect(try names("more", .val).count == 10)
        #expect(try Set(names("more", .val)).isSuperset(of: held))
    }

    @Test func allOrNoneMayBeForValidation() throws {
        try writeClasses("set")
        var summary = try small.index(["set"], output: "all") { $0.validationFraction = 1 }
        #expect(summary.counts == [.val: 20])
        let (dataset, images) = try ImageDataset.subset(
            "val", of: small.path("all"), configuration: DataConfiguration(), seed: 0)
        #expect(dataset.classes == ["cat", "dog"] && images.entries.count == 20)
        #expect(throws: ImagesError.self) { try small.open("all") }
        summary = try small.index(["set"], output: "none") { $0.validationFraction = 0 }
        #expect(summary.counts[.val] == nil)
    }

    /// Folders that are divided already stay so; training images alone are divided on demand.
    @Test func foldersOfPartsAreDividedOnDemand() throws {
        try writeClasses("set/train")
        try writeClasses("set/val", count: 2)
        var summary = try small.index(["set"], output: "index") { $0.validationFraction = 0.5 }
        #expect(summary.counts[.val] == 4)
        #expect(summary.layouts.contains { $0.hasPrefix("--validation-fraction is not used") })
        try FileManager.default.removeItem(atPath: small.path("set/val"))
        summary = try small.index(["set"], output: "index")
        #expect(summary.counts[.val] == nil && summary.layouts.isEmpty)
        summary = try small.index(["set"], output: "index") { $0.validationFraction = 0.5 }
        #expect(summary.counts[.val] == 10)
    }

    /// Which images are for validation must be the same for whoever trains and evaluates.
    @Test func classFoldersNeedAnIndex() throws {
        try writeClasses("set")
        #expect {
            try small.open("set")
        } throws: {
            "\($0)".contains("saccader-dist dataset index \(small.path("set"))")
        }
    }

    @Test func fewDevelopmentImagesAreTold() throws {
        try writeClasses("set")
        let warnings = try small.index(["set"], output: "index") {
            $0.developmentImagesPerClass = 3
        }.warnings
        let line = warnings.first { $0.hasPrefix("dev has fewer than 10") }
        #expect(line?.contains("cat: 3") == true, "\(warnings)")
        #expect(try small.open("index").warnings.contains { $0.hasPrefix("dev has fewer than 10") })
        // None at all are few; who wants none is not told.
        let none = try small.index(["set"], output: "none") { $0.developmentFraction = 0.01 }
        #expect(none.warnings.contains { $0.contains("cat: 0, dog: 0") })
        let unwanted = try small.index(["set"], output: "none") { $0.developmentFraction = 0 }
        #expect(unwanted.warnings.isEmpty)
        // A folder of the user's own is as it is meant.
        try writeClasses("divided/train")
        try writeClasses("divided/dev", count: 2)
        let divided = try small.index(["divided"], output: "divided.index")
        #expect(!divided.warnings.contains { $0.hasPrefix("dev has fewer") })
    }

    @Test func theIndexsDivisionCountsAndIsTold() throws {
        try writeClasses("set")
        _ = try small.index(["set"], output: "index") { $0.developmentFraction = 0.25 }
        var settings = DataConfiguration()
        settings.developmentFraction = 0.5
        let dataset = try ImageDataset(small.path("index"), configuration: settings, seed: 0)
        #expect(dataset.development.entries.count == 4)
        #expect(
            dataset.warnings.contains {
                $0.contains("0.25 of each class") && $0.contains("developmentFraction (0.5)")
            })
        settings.developmentFraction = 0.25
        let same = try ImageDataset(small.path("index"), configuration: settings, seed: 0)
        #expect(!same.warnings.contains { $0.contains("developmentFraction") })
    }

    /// A folder that is called val is validation's, also where it is named itself.
    @Test(arguments: ["", ".tar"]) func aSourceIsThePartThatItsNameSays(ending: String) throws {
        for part in ["train", "val", "test"] {
            try writeClasses("set/\(part)", count: part == "train" ? 10 : 2)
            try archive("set/\(part)")
        }
        let summary = try small.index(["set/train\(ending)", "set/val\(ending)"], output: "index") {
            $0.developmentFraction = 0
        }
        #expect(summary.counts == [.train: 20, .val: 4])
        #expect(try names("index", .val).contains("val/cat/0.png"))
        try FileManager.default.removeItem(atPath: small.path("set/test"))
        _ = try small.index(["set"], output: "whole") { $0.developmentFraction = 0 }
        #expect(try Content(small.open("index")) == Content(small.open("whole")))
        #expect {
            try small.index(["set/val.tar", "set/test.tar"], output: "index")
        } throws: {
            "\($0)".contains("test.tar: is taken for val, as is")
        }
    }

    private func archive(_ root: String) throws {
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tar.arguments = ["tar", "-cf", small.path("\(root).tar"), "-C", small.path(root), "."]
        try tar.run()
        tar.waitUntilExit()
        #expect(tar.terminationStatus == 0)
    }

    @Test func oneClassAloneIsTold() throws {
        try small.write(fixtureBytes("grey.png"), to: "cats/0.png")
        let warnings = try small.index(["cats"], output: "index").warnings
        #expect(warnings.contains { $0.contains("one class alone, cats") })
        #expect(try small.open("index").training.path(0) == small.path("cats/0.png"))
        _ = try Content(small.open("index"))
        try small.write(fixtureBytes("grey.png"), to: "dogs/0.png")
        _ = try small.index(["cats", "dogs"], output: "index")
        #expect(try small.open("index").classes == ["cats", "dogs"])
    }

    @Test func tooManyOdditiesStandInAFile() throws {
        try writeClasses("set")
        let path = small.path("index.odd.txt")
        var summary = try small.index(["set"], output: "index")
        #expect(summary.oddityFile == path)
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 21 && lines.contains("grey\tdog/3.png"))
        // Only its own file is replaced, and removed where nothing is left to say.
        try FileManager.default.removeItem(atPath: small.path("set/dog"))
        try small.write(fixtureBytes("chelsea.jpg"), to: "set/dog/0.jpg")
        for number in 0..<5 {
            try FileManager.default.removeItem(atPath: small.path("set/cat/\(number).png"))
        }
        summary = try small.index(["set"], output: "index")
        #expect(summary.oddityFile == nil && !FileManager.default.fileExists(atPath: path))
        try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: ImagesError.notOurs(path: path)) {
            try small.index(["set"], output: "index")
        }
    }
}
