import Foundation
import TestSupport
import Testing

@testable import Images

/// One data set, in all its shapes, is the same image by image.
@Suite struct IndexTests {
    private let small: SmallImageNet
    private let expected: Content

    init() throws {
        small = try SmallImageNet()
        try small.writeFolders("folders")
        expected = try Content(small.open("folders"))
    }

    @Test func foldersAreReadAsTheyAre() throws {
        let training = expected.images[.train] ?? []
        let development = expected.images[.dev] ?? []
        #expect(expected.classes == SmallImageNet.classes.sorted())
        // A third of six images of each class.
        #expect(training.count == 16 && development.count == 8)
        #expect(expected.images[.val]?.count == SmallImageNet.validationCount)
        for image in training + development {
            let original = try #require(
                small.training.first { image.entry.name == "train/\($0.className)/\($0.name)" })
            let number = try #require(expected.classes.firstIndex(of: original.className))
            #expect(image.bytes == original.bytes)
            #expect(image.entry.label == Int32(number) + 1)
        }
        #expect(Set((training + development).map(\.entry.name)).count == 24)
    }

    @Test(arguments: ["meta.mat", "meta-plain.mat"])
    func archivesHoldTheSameImages(meta: String) throws {
        try small.writeArchives("archives", meta: meta)
        let summary = try small.index(["archives"], output: "index")
        #expect(summary.counts == [.train: 16, .dev: 8, .val: 10])
        #expect(summary.problems.isEmpty && summary.layouts.isEmpty)
        #expect(try Content(small.open("index")) == expected)
        #expect(try small.open("index").words.last == "chain saw, chainsaw")
        #expect(!FileManager.default.fileExists(atPath: IndexJournal.path(of: small.path("index"))))
    }

    @Test func indexedFoldersHoldTheSameImages() throws {
        _ = try small.index(["folders"], output: "index") { $0.verifies = true }
        #expect(try Content(small.open("index")) == expected)
        let index = try ImageIndex(reading: small.path("index"))
        #expect(index.header.isVerified && index.header.developmentFraction == 0.34)
        let row = try #require(
            (0..<index.count).first { index.name($0).hasSuffix("00000004.JPEG") })
        #expect(index[row].width == 113 && index[row].height == 75)
    }

    @Test func flatValidationImagesTakeTheirLabelsFromTheKit() throws {
        try small.writeArchives("archives")
        try small.writeFolders("flat", isFlat: true)
        let kit = "archives/ILSVRC2012_devkit_t12.tar.gz"
        _ = try small.index(["flat", kit], output: "index")
        #expect(try Content(small.open("index")) == expected)
        // Without an index, the labels lie beside the images.
        try small.write([UInt8](small.groundTruth.utf8), to: "flat/\(SmallImageNet.truthName)")
        let list = SmallImageNet.classes.joined(separator: "\n")
        try small.write([UInt8](list.utf8), to: "flat/synsets.txt")
        #expect(try Content(small.open("flat")) == expected)
    }

    @Test(arguments: ["identifiers", "names", "sorted"])
    func labelsMayBeText(form: String) throws {
        try small.writeArchives("archives")
        let sorted = SmallImageNet.classes.sorted()
        let lines = small.validation.map { image in
            let name = SmallImageNet.classes[image.identifier - 1]
            return switch form {
            case "names": name
            case "sorted": "\(image.name) \(sorted.firstIndex(of: name) ?? -1)"
            default: "\(image.identifier)"
            }
        }
        try small.write([UInt8](lines.joined(separator: "\n").utf8), to: "truth.txt")
        let list = SmallImageNet.classes.map { "\($0) words of \($0)\n" }.joined()
        try small.write([UInt8](list.utf8), to: "list.txt")
        let archives = ["archives/ILSVRC2012_img_train.tar", "archives/ILSVRC2012_img_val.tar"]
        _ = try small.index(archives + ["truth.txt", "list.txt"], output: "index")
        let dataset = try small.open("index")
        #expect(try Content(dataset) == expected)
        #expect(dataset.words == sorted.map { "words of \($0)" })
    }

    @Test func anInterruptedIndexGoesOn() throws {
        try small.writeArchives("archives")
        _ = try small.index(["archives"], output: "whole")
        // A bad image keeps the index from being written, but not what was seen of the others.
        try small.write([1, 2, 3], to: "archives/train/n01440764/bad.JPEG")
        let index = try ImageIndex(reading: small.path("whole"))
        let journal = try IndexJournal(small.path("part"), fingerprint: 5)
        try journal.append((0..<20).map { IndexJournal.Entry(row: UInt32($0), index[$0]) })
        let again = try IndexJournal(small.path("part"), fingerprint: 5)
        #expect(again.entries.count == 20)
        var record = ImageRecord()
        try #require(again.entries[7]).complete(&record)
        #expect(record.checksum == index[7].checksum && record.width == index[7].width)
        // A torn entry at the end is not taken; another data set's journal is started anew.
        let path = IndexJournal.path(of: small.path("part"))
        let torn = try Data(contentsOf: URL(fileURLWithPath: path)).dropLast(5)
        try torn.write(to: URL(fileURLWithPath: path))
        #expect(try IndexJournal(small.path("part"), fingerprint: 5).entries.count == 19)
        #expect(try IndexJournal(small.path("part"), fingerprint: 6).entries.isEmpty)
    }

    @Test func undecodableImagesAreLeftOutOnlyByTheUsersWill() throws {
        try small.write([], to: "folders/train/n01440764/empty.JPEG")
        let cut = try Array(fixtureBytes("coffee.jpg").prefix(2000))
        try small.write(cut, to: "folders/train/n01440764/cut.JPEG")
        var summary = try small.index(["folders"], output: "index") { $0.verifies = true }
        #expect(
            summary.problems.map(\.name) == ["cut", "empty"].map { "train/n01440764/\($0).JPEG" })
        #expect(!FileManager.default.fileExists(atPath: small.path("index")))
        #expect(FileManager.default.fileExists(atPath: IndexJournal.path(of: small.path("index"))))
        summary = try small.index(["folders"], output: "index") {
            ($0.verifies, $0.skipsUndecodable) = (true, true)
        }
        #expect(summary.problems.count == 2)
        let dataset = try small.open("index")
        let names = Subset.allCases.flatMap { dataset[$0].entries.map(\.name) }
        #expect(names.count == 34 && !names.contains { $0.contains("cut") || $0.contains("empty") })
    }

    @Test func missingLabelsAndDoubleImagesAreRefused() throws {
        try small.writeArchives("archives")
        let (train, val) = ("archives/ILSVRC2012_img_train.tar", "archives/ILSVRC2012_img_val.tar")
        #expect(throws: ImagesError.self) { try small.index([train, val], output: "index") }
        #expect {
            try small.index([train, train], output: "index")
        } throws: {
            "\($0)".contains("train.tar twice")
        }
        try small.write(Array("1\n2\n".utf8), to: "truth.txt")
        #expect {
            try small.index([train, val, "truth.txt"], output: "index")
        } throws: {
            "\($0)".contains("has 10 validation images, but") && "\($0)".contains("labels 2")
        }
        #expect {
            try small.open(train)
        } throws: {
            "\($0)".contains("saccader-dist dataset index")
        }
    }

    @Test func whatChangedSinceIsNoticed() throws {
        try small.writeArchives("archives")
        _ = try small.index(["archives"], output: "index")
        let archive = small.path("archives/ILSVRC2012_img_val.tar")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: archive))
        try bytes.dropLast(512).write(to: URL(fileURLWithPath: archive))
        #expect {
            try small.open("index")
        } throws: {
            "\($0)".contains("when it was indexed")
        }
        try FileManager.default.removeItem(atPath: archive)
        #expect(throws: ImagesError.self) { try small.open("index") }
    }

    @Test(arguments: ["archives", "folders"]) func aChangedImageIsNamed(form: String) throws {
        try small.writeArchives("archives")
        _ = try small.index([form], output: "index")
        let dataset = try small.open("index")
        let name = form == "archives" ? "ILSVRC2012_img_val.tar" : dataset.validation.path(3)
        let path = form == "archives" ? small.path("archives/\(name)") : name
        // One bit, in the trailing bytes that no decoder looks at; the size stays.
        var content = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        let row = dataset.validation.index[Int(dataset.validation.rows[3])]
        content[Int(row.offset + row.size) - 1] ^= 1
        try Data(content).write(to: URL(fileURLWithPath: path))
        var bytes: [UInt8] = []
        let changed = try small.open("index").validation
        #expect {
            try changed.read(3, into: &bytes)
        } throws: {
            "\($0)".contains(name) && "\($0)".contains(changed.path(3))
                && "\($0)".hasSuffix(
                    "holds other bytes than when it was indexed; restore it or index again")
        }
        try changed.read(2, into: &bytes)
    }

    @Test func theDivisionIsStratifiedAndDisjoint() throws {
        for seed in [UInt64(0), 1] {
            _ = try small.index(["folders"], output: "index-\(seed)") {
                ($0.seed, $0.developmentImagesPerClass) = (seed, 2)
            }
        }
        let (first, second) = (try small.open("index-0"), try small.open("index-1"))
        let development = first.development.entries
        for label in Int32(1)...4 {
            #expect(development.filter { $0.label == label }.count == 2)
        }
        let names = Set(development.map(\.name))
        #expect(names.isDisjoint(with: Set(first.training.entries.map(\.name))))
        #expect(names.isDisjoint(with: Set(first.validation.entries.map(\.name))))
        #expect(names != Set(second.development.entries.map(\.name)))
    }
}
