import Foundation
import TestSupport
import Testing

@testable import Images

/// A folder and its archive are one data set, or are refused for one reason; what is not taken is
/// told.
@Suite struct LayoutTests {
    private let small: SmallImageNet
    private let picture: [UInt8]

    init() throws {
        small = try SmallImageNet()
        picture = try fixtureBytes("chelsea.jpg")
    }

    /// Writes each path with a content of its own; a path that ends with `/` is an empty folder.
    private func write(_ paths: [String], to root: String) throws {
        for (number, path) in paths.enumerated() {
            if path.hasSuffix("/") {
                try FileManager.default.createDirectory(
                    atPath: small.path("\(root)/\(path)"), withIntermediateDirectories: true)
            } else {
                let name = (path as NSString).lastPathComponent
                let text = Self.texts[name] ?? (name.hasSuffix(".txt") ? "1\n2\n1\n" : nil)
                let content = text.map { Array($0.utf8) } ?? picture + [UInt8(number)]
                try small.write(content, to: "\(root)/\(path)")
            }
        }
    }

    /// Archives the content of a folder, or the folder itself.
    private func archive(_ root: String, to name: String, wrapped: Bool = false) throws {
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let folder = small.path(root)
        tar.arguments =
            ["tar", "--sort=name", "-cf", small.path(name)]
            + (wrapped ? ["-C", small.path(""), root] : ["-C", folder, "."])
        try tar.run()
        tar.waitUntilExit()
        #expect(tar.terminationStatus == 0)
    }

    private struct Result: Equatable {
        var content: Content?
        var problem: String?
    }

    private func result(_ path: String, _ output: String) throws -> (Result, [String]) {
        do {
            let summary = try small.index([path], output: output)
            // So small a set has few images of each class.
            let notes = summary.warnings.filter { !$0.hasPrefix("dev has fewer") }
            return (Result(content: try Content(small.open(output))), notes)
        } catch let error as ImagesError {
            // The same words, but for where the images are.
            let words = "\(error)".split(separator: ": ").last.map(String.init)
            return (Result(problem: words), [])
        }
    }

    /// What some files say.
    private static let texts = [
        "val_annotations.txt": "val_0.JPEG\tb\t0\t1\t2\t3\nval_1.JPEG\ta\t0\t1\t2\t3\n",
        "words.txt": "a\tapple\nb\tbanana, fruit\nc\tcherry\n",
        "LOC_val_solution.csv": "ImageId,PredictionString\nILSVRC2012_val_00000001,b 1 2 3 4\n"
            + "ILSVRC2012_val_00000002,a 1 2 3 4 b 1 2 3 4\n",
        "LOC_synset_mapping.txt": "a apple\nb banana, fruit\n",
        "notes.xml": "<?xml version=\"1.0\"?>",
    ]

    private static let kaggle = "ILSVRC/Data/CLS-LOC"
    private static let train = [
        "train/a/0.JPEG", "train/a/1.JPEG", "train/b/2.JPEG", "train/b/2b.JPEG",
    ]
    private static let val = ["val/a/3.JPEG", "val/b/4.JPEG"]

    static let layouts: [(paths: [String], training: Int?, word: String?)] = [
        (train + val, 4, nil),
        (train + val + ["dev/a/5.JPEG"], 4, "dev has no image of some classes"),
        // Nested folders belong to their class.
        (train + val + ["train/a/sub/deep/6.JPEG", "val/b/sub/7.JPEG"], 5, nil),
        // What is hidden is no class and no image.
        (train + val + ["train/.ipynb_checkpoints/0.JPEG", "train/a/.x.JPEG"], 4, "hidden"),
        (train + val + ["val/.hidden/0.JPEG", ".trash/train/a/0.JPEG"], 4, "hidden"),
        // The content decides, not the name.
        (train + val + ["train/b/photo", "train/b/photo.jpg_large", "train/b/x.txt"], 6, "x.txt"),
        // Another part of the data is not trained on.
        (train + val + ["test/a/8.JPEG", "test/9.JPEG"], 4, "passed over: 1 (test)"),
        // Flat validation images need labels, here beside them.
        (train + ["val/v_1.JPEG", "val/v_2.JPEG", "val/v_3.JPEG"], nil, nil),
        (
            train + ["val/v_1.JPEG", "val/v_2.JPEG", "val/v_3.JPEG", "ground_truth.txt"], nil, nil
        ),
        // A training image without a class is an error.
        (train + val + ["train/stray.JPEG"], nil, nil),
        // A class without images is told.
        (train + val + ["train/empty/"], 4, "(empty)"),
        (train + val + ["train/texts/a.txt"], 4, "(texts)"),
        // A class that training lacks is an error.
        (train + val + ["val/other/10.JPEG"], nil, nil),
        (train, 4, nil),
        // As others name the parts.
        (train + ["valid/a/3.JPEG", "valid/b/4.JPEG"], 4, nil),
        (train + ["test/a/3.JPEG", "test/b/4.JPEG"], 4, nil),
        (["Training", "Validation"].flatMap { ["\($0)/a/0.JPEG", "\($0)/b/1.PNG"] }, 2, nil),
        (
            train + ["valid/a/3.JPEG", "valid/b/4.JPEG", "test/a/5.JPEG"], 4,
            "passed over: 1 (test)"
        ),
        (train + ["val/a/3.JPEG", "val/b/4.JPEG", "valid/a/5.JPEG"], nil, nil),
        // Folders of classes alone; one of them may have a part's name.
        (["a/0.JPEG", "a/1.JPEG", "b/2.JPEG", "b/sub/deep/3.JPEG"], 4, nil),
        (["a/0.JPEG", "b/1.JPEG", "empty/", "read.txt"], 2, "(empty)"),
        (
            ["a/0.JPEG", "b/1.JPEG", "__MACOSX/a/._0.JPEG", "a/._0.JPEG", "b/Thumbs.db"], 2,
            "hidden"
        ),
        (["car/0.JPEG", "train/1.JPEG", "bus/2.JPEG"], 3, nil),
        (["cat/0.JPEG", "test/1.JPEG", "val/2.JPEG"], 3, nil),
        (["a/0.JPEG", "b/1.JPEG", "2.JPEG"], nil, nil),
        // tiny-imagenet.
        (
            [
                "train/a/images/0.JPEG", "train/a/a_boxes.txt", "train/b/images/1.JPEG",
                "val/images/val_0.JPEG", "val/images/val_1.JPEG", "val/val_annotations.txt",
                "test/images/test_0.JPEG", "wnids.txt", "words.txt",
            ], 2, "passed over: 1 (test)"
        ),
        // Kaggle's ImageNet.
        (
            [
                "\(kaggle)/train/a/0.JPEG", "\(kaggle)/train/b/1.JPEG",
                "\(kaggle)/val/ILSVRC2012_val_00000001.JPEG",
                "\(kaggle)/val/ILSVRC2012_val_00000002.JPEG",
                "\(kaggle)/test/ILSVRC2012_test_00000001.JPEG", "ILSVRC/Annotations/notes.xml",
                "ILSVRC/ImageSets/x.txt", "LOC_val_solution.csv", "LOC_synset_mapping.txt",
            ], 2, "passed over: 1 (test)"
        ),
    ]

    /// What an index says of its layout, its validation images' labels and its classes' words.
    @Test(arguments: [
        (
            "val_annotations.txt", "tiny-imagenet",
            ["b/images/val_0.JPEG": 2, "a/images/val_1.JPEG": 1]
        ),
        (
            "LOC_val_solution.csv", "images are those in ILSVRC/Data/CLS-LOC",
            ["b/ILSVRC2012_val_00000001.JPEG": 2, "a/ILSVRC2012_val_00000002.JPEG": 1]
        ),
    ])
    func publicLayoutsKeepTheirLabels(
        file: String, remark: String, labels: [String: Int32]
    ) throws {
        let layout = try #require(
            Self.layouts.first { $0.paths.contains { $0.hasSuffix(file) } })
        try write(layout.paths, to: "set")
        let summary = try small.index(["set"], output: "index")
        #expect(summary.layouts.contains { $0.contains(remark) }, "\(summary.layouts)")
        for name in ["set", "index"] {
            let dataset = try small.open(name)
            let found = dataset.validation.entries.map { ($0.name, $0.label) }
            #expect(
                Dictionary(uniqueKeysWithValues: found)
                    == Dictionary(uniqueKeysWithValues: labels.map { ("val/\($0)", $1) }))
            #expect(dataset.words == ["apple", "banana, fruit"])
        }
    }

    @Test(arguments: layouts.indices) func aFolderAndItsArchiveAreOne(number: Int) throws {
        let layout = Self.layouts[number]
        try write(layout.paths, to: "set")
        let (folder, notes) = try result("set", "folder.index")
        if let training = layout.training {
            let found = try #require(folder.content)
            let trained = (found.images[.train] ?? []) + (found.images[.dev] ?? [])
            #expect(trained.filter { !$0.entry.name.hasPrefix("dev/") }.count == training)
        } else {
            #expect(folder.problem != nil)
        }
        if let word = layout.word {
            #expect(notes.contains { $0.contains(word) }, "\(notes)")
        } else {
            #expect(notes.isEmpty, "\(notes)")
        }
        for wrapped in [false, true] {
            try archive("set", to: "set.tar", wrapped: wrapped)
            let (packed, told) = try result("set.tar", "tar-\(wrapped).index")
            #expect(packed == folder)
            #expect(told.count == notes.count, "\(told)")
            if let word = layout.word { #expect(told.contains { $0.contains(word) }, "\(told)") }
        }
    }

    /// Archives that are of no known layout, and what is said of them.
    @Test(arguments: [
        (["cats/0.JPEG", "dogs/1.JPEG", "2.JPEG"], "set.tar", "without a class"),
        (["cats/0.JPEG", "1.JPEG"], "set.tar", "without a class"),
        (["cats/0.JPEG", "notes/1.txt"], "set.tar", "holds images in the folder cats alone"),
        (["val/a/0.JPEG", "valid/a/1.JPEG"], "set.tar", "two folders for val: val and valid"),
        (["cats/0.JPEG"], "set.tar", "images in the folder cats alone"),
        (["0.JPEG"], "val.tar", "whose class would be called val"),
        (["a_val_1.JPEG", "1.JPEG"], "set.tar", "_val_"),
        (["a_test_1.JPEG"], "set.tar", "test images"),
        (["text.txt"], "set.tar", "no images"),
    ])
    func anotherLayoutIsRefused(paths: [String], name: String, words: String) throws {
        try write(paths, to: "set")
        try archive("set", to: name)
        #expect {
            try small.index([name], output: "index")
        } throws: {
            "\($0)".contains(name) && "\($0)".contains(words)
        }
    }

    /// The images of one class, flat or in a folder of that name.
    @Test(arguments: [false, true]) func anArchiveIsAClass(wrapped: Bool) throws {
        try write(["0.JPEG", "1.JPEG"], to: "cats")
        try archive("cats", to: "cats.tar", wrapped: wrapped)
        _ = try small.index(["cats.tar"], output: "index")
        #expect(try small.open("index").classes == ["cats"])
    }

    /// Both archives in a third one keep their meaning.
    @Test func archivesInAnArchiveKeepTheirMeaning() throws {
        try small.writeArchives("archives")
        try archive("archives", to: "all.tar")
        let summary = try small.index(["all.tar"], output: "index")
        #expect(summary.counts == [.train: 16, .dev: 8, .val: 10])
        try small.writeFolders("folders")
        #expect(try Content(small.open("index")) == Content(small.open("folders")))
    }

    @Test func linksAreFollowedInBoth() throws {
        try write(Self.train + Self.val, to: "set")
        let manager = FileManager.default
        try manager.linkItem(
            atPath: small.path("set/train/a/0.JPEG"), toPath: small.path("set/train/b/hard.JPEG"))
        try manager.createSymbolicLink(
            atPath: small.path("set/train/b/soft.JPEG"), withDestinationPath: "../a/1.JPEG")
        try manager.moveItem(atPath: small.path("set/val/b"), toPath: small.path("set/elsewhere"))
        try manager.createSymbolicLink(
            atPath: small.path("set/val/b"), withDestinationPath: "../elsewhere")
        try archive("set", to: "set.tar")
        let (folder, _) = try result("set", "folder.index")
        let (packed, _) = try result("set.tar", "tar.index")
        let found = try #require(folder.content)
        #expect(found.images[.val]?.map(\.entry.name) == ["val/a/3.JPEG", "val/b/4.JPEG"])
        let names = Subset.allCases.flatMap { found.images[$0] ?? [] }.map(\.entry.name)
        #expect(names.filter { $0.hasPrefix("train/b/") }.count == 4)
        #expect(packed == folder)
        // A folder that is linked into itself is told, not walked for ever.
        try manager.createSymbolicLink(
            atPath: small.path("set/train/a/again"), withDestinationPath: "../a")
        let summary = try small.index(["set"], output: "loop.index")
        #expect(summary.warnings.contains { $0.contains("train/a/again") })
        #expect(try Content(small.open("loop.index")) == found)
    }

    @Test func anArchiveBesideUnpackedImagesIsNamed() throws {
        try write(Self.train, to: "set")
        try small.write(Archives.tar([("x_val_1.JPEG", picture)]), to: "set/val.tar")
        #expect(
            try small.index(["set"], output: "index").warnings.contains { $0.contains("val.tar") })
        #expect(try small.open("set").warnings.contains { $0.contains("val.tar") })
    }
}
