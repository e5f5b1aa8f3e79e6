import Foundation
import TestSupport
import Testing

@testable import Images

/// What pictures are named by files, folders, lists and pipes.
@Suite struct PictureSourceTests {
    private let folder: TemporaryFolder
    private let jpeg: Data

    init() throws {
        folder = try TemporaryFolder()
        let fixture = try #require(
            Bundle.module.resourceURL?.appendingPathComponent("Fixtures/coffee.jpg"))
        jpeg = try Data(contentsOf: fixture)
    }

    private func write(_ name: String, _ content: Data) throws -> String {
        let path = folder.path(name)
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try content.write(to: URL(fileURLWithPath: path))
        return path
    }

    private func names(_ source: PictureSource) throws -> [String] {
        var names: [String] = []
        while let file = try source.next(onWait: { _ in }) {
            names.append(file.name.replacing(folder.path + "/", with: ""))
        }
        return names
    }

    @Test func aFolderIsWalkedInByteOrder() throws {
        for name in ["p/b.jpg", "p/B.PNG", "p/a/z.webp", "p/.hidden.jpg", "p/.git/x.jpg"] {
            _ = try write(name, jpeg)
        }
        _ = try write("p/picture", jpeg)
        _ = try write("p/notes.txt", Data("text".utf8))
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("p/a/up"), withDestinationPath: folder.path("p"))
        for path in [folder.path("p"), folder.path("p") + "/"] {
            let source = try PictureSource([path])
            #expect(try names(source) == ["p/B.PNG", "p/a/z.webp", "p/b.jpg", "p/picture"])
            #expect(source.count == 4)
            #expect(
                source.warnings.map { $0.prefix { $0 != "(" } } == [
                    "hidden, passed over: 2 ", "no pictures, passed over: 1 ",
                    "links that lead to no file in the same place, passed over: 1 ",
                ])
        }
    }

    @Test func aListHasAPathALine() throws {
        let (a, b) = (try write("a.jpg", jpeg), try write("c d.jpg", jpeg))
        for text in [
            "\(a)\n\(b)\n", "\u{FEFF}\(a)\r\n\n\(b)", "\(a)\0\(b)\0", "a.jpg\nc d.jpg\n",
        ] {
            let list = try write("list", Data(text.utf8))
            #expect(try names(PictureSource([list, a])) == ["a.jpg", "c d.jpg", "a.jpg"])
        }
        // What is not there is told by whoever reads it.
        let list = try write("list", Data("\(folder.path("gone.jpg"))\n".utf8))
        let file = try #require(try PictureSource([list]).next(onWait: { _ in }))
        #expect(throws: ImagesError.missing(path: file.name, remedy: "check the path")) {
            try file.pixels(DataConfiguration())
        }
    }

    @Test func whatIsNoPictureIsRefused() throws {
        for content in [Data([1, 2, 3]), Data(), Data("<html>".utf8), Data("PK\u{3}\u{4}".utf8)] {
            let path = try write("odd", content)
            #expect {
                try PictureSource([path])
            } throws: { "\($0)".contains("neither a picture nor a list") }
        }
        let blank = try write("blank", Data("\n\r\n".utf8))
        #expect(throws: ImagesError.noPictures(path: blank)) { try PictureSource([blank]) }
    }

    @Test func picturesComeInOrderFromAnyNumberOfThreads() throws {
        for index in 0..<23 { _ = try write(String(format: "many/%02d.jpg", index), jpeg) }
        _ = try write("many/07.jpg", Data("broken".utf8))
        var data = DataConfiguration()
        data.imageSize = 24
        for (workers, batchSize) in [(1, 4), (3, 7), (5, 64)] {
            let loader = PictureLoader(
                try PictureSource([folder.path("many")]), preparation: Preparation(data),
                batchSize: batchSize, workers: workers)
            var (names, readable) = ([String](), 0)
            while true {
                let batch = try loader.next()
                if batch.isEmpty { break }
                #expect(batch.count == min(batchSize, 23 - names.count))
                names += batch.map(\.file.lastName)
                readable += batch.compactMap(\.readable).count
            }
            #expect(names == (0..<23).map { String(format: "%02d.jpg", $0) } && readable == 22)
        }
    }

    /// 120×80 pixels: the central square, or all of them squeezed.
    @Test func aPictureIsShownCroppedOrWhole() throws {
        let pixels = try ImageDecoder().decode(Array(jpeg), path: "coffee")
        var data = DataConfiguration()
        (data.imageSize, data.centralCropMargin) = (24, 0)
        var values = [Float](repeating: 0, count: 24 * 24 * 3)
        let crop = Preparation(data).prepare(pixels, into: &values, at: 0)
        #expect(crop.box == Resize.Box(x: 20, y: 0, width: 80, height: 80))
        let whole = Preparation(data, framing: .whole).prepare(pixels, into: &values, at: 0)
        #expect(whole.box == Resize.Box(x: 0, y: 0, width: 120, height: 80))
        #expect(whole.scale.x == 5 && abs(whole.scale.y - 80.0 / 24) < 1e-12)
        let square = Resize.bicubic(pixels, box: whole.box, size: 24)
        let shown = Preparation.unstandardized(values).map { UInt8(($0 * 255).rounded()) }
        #expect(shown == square.bytes)
    }
}
