import Foundation
import TestSupport
import Testing

@testable import Images

/// What `dataset index` may replace, and what it leaves out.
@Suite struct IndexOutputTests {
    private let small: SmallImageNet

    init() throws {
        small = try SmallImageNet()
        try small.writeFolders("folders")
        try small.writeArchives("archives")
    }

    private func content(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: small.path(name)))
    }

    /// Also where it is an input, and where only the journal would be in the way.
    @Test(arguments: ["archives/ILSVRC2012_img_train.tar", "photo.jpg", "x.partial"])
    func whatIsNoIndexIsLeftAlone(name: String) throws {
        if name != "archives/ILSVRC2012_img_train.tar" {
            try small.write(Array("mine".utf8), to: name)
        }
        let before = try content(name)
        let output = name == "x.partial" ? "x" : name
        #expect(throws: ImagesError.notOurs(path: small.path(name))) {
            try small.index(["archives"], output: output)
        }
        #expect(try content(name) == before)
    }

    @Test func anIndexAndAnEmptyFileAreReplaced() throws {
        try small.write([], to: "index")
        _ = try small.index(["folders"], output: "index")
        let first = try content("index")
        try small.write(Array("SACIDX01 torn".utf8), to: "index")
        _ = try small.index(["folders"], output: "index")
        #expect(try content("index") == first)
    }

    @Test func aDeviceAndALinkToNowhereAreLeftAlone() throws {
        #expect(mkfifo(small.path("pipe"), 0o644) == 0)
        #expect(throws: ImagesError.notOurs(path: small.path("pipe"))) {
            try small.index(["folders"], output: "pipe")
        }
        try FileManager.default.createSymbolicLink(
            atPath: small.path("link"), withDestinationPath: "nowhere")
        _ = try small.index(["folders"], output: "link")
        #expect(try small.open("link").classes.count == 4)
    }

    /// The journal of an earlier run says nothing of images that were replaced since.
    @Test func repairedImagesAreLookedAtAgain() throws {
        let name = "folders/train/n01440764/bad.JPEG"
        let good = try fixtureBytes("chelsea.jpg")
        try small.write([UInt8](repeating: 0, count: good.count), to: name)
        let other = "folders/train/n01440764/other.JPEG"
        try small.write(good, to: other)
        #expect(try small.index(["folders"], output: "index").problems.count == 1)
        // Another picture of the same size, besides the repair.
        try small.write(good, to: name)
        let changed = Array(good.dropLast()) + [good[good.count - 1] ^ 1]
        try FileManager.default.removeItem(atPath: small.path(other))
        try small.write(changed, to: other)
        #expect(try small.index(["folders"], output: "index").problems.isEmpty)
        _ = try Content(small.open("index"))
    }

    /// A link to nowhere is named with its reason; left out by the user's will.
    @Test func whatCannotBeReachedIsNamedOrLeftOut() throws {
        for name in ["link.JPEG", "link"] {
            try FileManager.default.createSymbolicLink(
                atPath: small.path("folders/train/n01440764/\(name)"),
                withDestinationPath: "nowhere.JPEG")
        }
        #expect(mkfifo(small.path("folders/val/n01440764/p.JPEG"), 0o644) == 0)
        var summary = try small.index(["folders"], output: "index")
        #expect(
            summary.problems.map(\.name) == [
                "train/n01440764/link", "train/n01440764/link.JPEG", "val/n01440764/p.JPEG",
            ])
        #expect(summary.problems[0].reason.contains("link that leads nowhere"))
        #expect(summary.problems[2].reason.contains("named pipe"))
        #expect(!FileManager.default.fileExists(atPath: small.path("index")))
        summary = try small.index(["folders"], output: "index") { $0.skipsUndecodable = true }
        #expect(summary.counts == [.train: 16, .dev: 8, .val: 10])
        let names = try Subset.allCases.flatMap { try small.open("index")[$0].entries.map(\.name) }
        #expect(!names.contains { $0.contains("link") || $0.contains("p.JPEG") })
    }

    /// Nothing waits for a pipe's other end.
    @Test func pipesAreNeverOpened() throws {
        #expect(mkfifo(small.path("pipe"), 0o644) == 0)
        #expect {
            try small.open("pipe")
        } throws: {
            "\($0)".contains("named pipe")
        }
        try small.write(Array("n1\nn2\n".utf8), to: "synsets.txt")
        #expect(mkfifo(small.path("folders/labels.txt"), 0o644) == 0)
        #expect {
            try small.index(["folders"], output: "index")
        } throws: {
            "\($0)".contains("labels.txt") && "\($0)".contains("named pipe")
        }
    }

    /// What the class and the division say of classes that are left without images.
    @Test func classesWithoutImagesAreTold() throws {
        for name in ["n01440764_0.JPEG", "n01440764_4.JPEG"] {
            let path = "folders/train/n01440764/\(name)"
            #expect(FileManager.default.fileExists(atPath: small.path(path)))
        }
        let folder = small.path("folders/train/n01440764")
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            try small.write(Array("no image".utf8), to: "folders/train/n01440764/\(name)")
        }
        let summary = try small.index(["folders"], output: "index") { $0.skipsUndecodable = true }
        let line = "train has no image of some classes, which cannot be learned: 1 (n01440764)"
        #expect(summary.warnings.contains(line), "\(summary.warnings)")
        #expect(try small.open("index").warnings.contains(line))
    }

    /// Images that are left out are not counted when a class is divided.
    @Test func theDivisionIsOfTheImagesThatAreLeft() throws {
        let good = try fixtureBytes("chelsea.jpg")
        for name in ["a", "b", "c"] {
            for number in 0..<4 {
                let bytes = number == 2 ? good + Array(name.utf8) : [UInt8(number)]
                try small.write(bytes, to: "few/train/\(name)/\(number).JPEG")
            }
        }
        let summary = try small.index(["few"], output: "index") {
            ($0.skipsUndecodable, $0.developmentFraction) = (true, 0.9)
        }
        #expect(summary.counts == [.train: 3])
        #expect(try small.open("index").training.entries.count == 3)
    }

    /// The last image of a class is trained on, whatever part is held out.
    @Test func theDivisionLeavesEachClassAnImage() throws {
        for name in SmallImageNet.classes { try small.write([1], to: "one/train/\(name)/x.JPEG") }
        let settings = {
            var settings = DataConfiguration(); settings.developmentFraction = 0.9; return settings
        }()
        let one = try ImageDataset(small.path("one"), configuration: settings, seed: 0)
        #expect(one.training.entries.count == 4 && one.development.entries.isEmpty)
        let six = try ImageDataset(small.path("folders"), configuration: settings, seed: 0)
        #expect(six.training.entries.count == 4 && six.development.entries.count == 20)
    }

    @Test func doublesAreTold() throws {
        let bytes = small.training[0].bytes
        try small.write(bytes, to: "folders/train/\(SmallImageNet.classes[1])/double.JPEG")
        try small.write(bytes, to: "folders/val/\(SmallImageNet.classes[1])/double.JPEG")
        let summary = try small.index(["folders"], output: "index") {
            $0.developmentImagesPerClass = 0
        }
        let kinds = Dictionary(uniqueKeysWithValues: summary.oddities.map { ($0.what, $0.names) })
        #expect(kinds["the same image in two classes"]?.count == 1)
        #expect(kinds["the same image in two of train, dev and val"]?.count == 1)
    }

    @Test func aSubsetWithoutImagesIsNamed() throws {
        var settings = DataConfiguration()
        settings.developmentFraction = 0
        #expect {
            try ImageDataset.subset(
                "dev", of: small.path("folders"), configuration: settings, seed: 0)
        } throws: {
            "\($0)".contains("has no dev images") && "\($0)".contains("data.developmentFraction")
        }
    }
}
