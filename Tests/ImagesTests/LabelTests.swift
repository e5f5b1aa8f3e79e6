import Foundation
import TestSupport
import Testing

@testable import Images

/// Label files as users have them.
@Suite struct LabelTests {
    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private let small: SmallImageNet
    private let expected: Content

    init() throws {
        small = try SmallImageNet()
        try small.writeFolders("folders")
        expected = try Content(small.open("folders"))
        try small.writeFolders("flat", isFlat: true)
    }

    /// The same labels in three forms, and the classes in the kit's order.
    private var lists: [String: String] {
        [
            "truth.txt": small.groundTruth,
            "synsets.txt": SmallImageNet.classes.map { "\($0) words\n" }.joined(),
            "names.txt": small.validation.map { "\(className($0.identifier))\n" }.joined(),
            "LOC_val_solution.csv": "ImageId,PredictionString\r\n"
                + small.validation.map {
                    "\(Labels.stem($0.name)),\(className($0.identifier)) 1 2 3 4\r\n"
                }.joined(),
        ]
    }

    private func className(_ identifier: Int) -> String { SmallImageNet.classes[identifier - 1] }

    private func write(
        _ name: String, as other: String? = nil, _ change: (inout String) -> Void = { _ in }
    )
        throws -> String
    {
        var text = try #require(lists[name])
        change(&text)
        try small.write(Array(text.utf8), to: other ?? name)
        return other ?? name
    }

    /// The mark that editors on Windows write is no part of the first label.
    @Test(arguments: [
        ["truth.txt", "synsets.txt"], ["names.txt"], ["LOC_val_solution.csv"],
    ])
    func aByteOrderMarkIsNoLabel(names: [String]) throws {
        for marked in names {
            for name in names {
                let text = try #require(lists[name])
                try small.write((name == marked ? Self.mark : []) + Array(text.utf8), to: name)
            }
            _ = try small.index(["flat"] + names, output: "index")
            #expect(try Content(small.open("index")) == expected)
        }
    }

    @Test func anotherEncodingIsNamed() throws {
        try small.write([0xFF, 0xFE] + Array("1\0\n\0".utf8), to: "truth.txt")
        #expect {
            try small.index(["flat", "truth.txt"], output: "index")
        } throws: {
            "\($0)".contains("truth.txt: is text in UTF-16; save it as UTF-8")
        }
    }

    /// Of two labels of one image none is taken.
    @Test func contradictionsAreRefused() throws {
        let (truth, synsets) = (try write("truth.txt"), try write("synsets.txt"))
        let named = try write("LOC_val_solution.csv")
        let other = try write("truth.txt", as: "truth2.txt") { text in
            text = (text.hasPrefix("1") ? "2" : "1") + text.dropFirst()
        }
        let classes = try write("synsets.txt", as: "synsets2.txt") { text in
            text = text.split(separator: "\n").reversed().joined(separator: "\n")
        }
        let twice = try write("LOC_val_solution.csv", as: "val_solution2.csv") { text in
            let line = text.split(whereSeparator: \.isNewline)[1]
            let name = line.prefix { $0 != "," }
            text += "\(name),\(line.contains("n01440764") ? "n01443537" : "n01440764")\r\n"
        }
        // What says the same again is no contradiction.
        _ = try small.index(["flat", truth, synsets, named, truth], output: "index")
        #expect(try Content(small.open("index")) == expected)
        for (paths, words) in [
            ([truth, other, synsets], "truth2.txt: labels the validation images otherwise than"),
            ([truth, synsets, classes], "synsets2.txt: lists the classes otherwise than"),
            ([other, synsets, named], "LOC_val_solution.csv: labels ILSVRC2012_val_00000001.JPEG"),
            ([twice], "val_solution2.csv: labels"),
        ] {
            #expect {
                try small.index(["flat"] + paths, output: "index")
            } throws: {
                "\($0)".contains(words)
            }
        }
    }

    @Test func placesAreReadOrRefused() throws {
        let line = #"{"image": "val/a/0.JPEG", "places": [[3, 4]]}"#
        func read(_ content: [UInt8]) throws -> KnownPlaces? {
            try small.write(content, to: "set/places.jsonl")
            return try KnownPlaces(folder: small.path("set"))
        }
        #expect(try KnownPlaces(folder: small.path("folders"))?.places(of: "") == nil)
        let marked = try #require(try read(Self.mark + Array("\(line)\r\n\(line)\n".utf8)))
        #expect(marked.places(of: "val/a/0.JPEG").map(\.x) == [4])
        for bad in [
            "nonsense", #"{"image": "a", "places": [[3]]}"#,
            "\(line)\n" + line.replacingOccurrences(of: "4", with: "5"),
        ] {
            #expect {
                _ = try read(Array(bad.utf8))
            } throws: {
                "\($0)".contains("places.jsonl: ")
            }
        }
        try FileManager.default.removeItem(atPath: small.path("set/places.jsonl"))
        #expect(mkfifo(small.path("set/places.jsonl"), 0o644) == 0)
        #expect(throws: ImagesError.self) { try KnownPlaces(folder: small.path("set")) }
    }
}

/// Places of the file move with the crop.
@Test func placesMoveWithTheCrop() throws {
    var settings = DataConfiguration()
    (settings.imageSize, settings.centralCropMargin) = (64, 0)
    settings.augmentation = .none
    func crop(_ height: Int, _ width: Int) -> ImageCrop {
        Preparation(settings).crop(height: height, width: width, random: nil)
    }
    func place(_ crop: ImageCrop, _ y: Int, _ x: Int) -> [Int]? {
        crop.place(y: y, x: x).map { [$0.y, $0.x] }
    }
    let same = crop(64, 64)
    #expect(place(same, 0, 63) == [0, 63])
    let doubled = crop(128, 128)
    #expect(place(doubled, 64, 64) == [32, 32] && place(doubled, 127, 1) == [63, 0])
    // The middle third of a wide image; what lies beside it is not seen.
    let wide = crop(64, 192)
    #expect(place(wide, 5, 64) == [5, 0] && place(wide, 5, 127) == [5, 63])
    #expect(place(wide, 5, 63) == nil && place(wide, 5, 128) == nil)
    settings.centralCropMargin = 64
    #expect(place(crop(128, 128), 64, 64) == [32, 32] && place(crop(128, 128), 31, 64) == nil)
    let flipped = ImageCrop(box: wide.box, isFlipped: true, size: 64)
    #expect(place(flipped, 5, 64) == [5, 63])
}
