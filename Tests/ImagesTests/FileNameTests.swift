import Foundation
import TestSupport
import Testing

@testable import Images

/// Names are bytes: nothing vanishes, and two spellings are two names.
@Suite struct FileNameTests {
    private static let composed = FileName("caf\u{E9}")
    private static let decomposed = FileName("cafe\u{301}")
    /// Latin-1.
    private static let latin = FileName(Array("caf".utf8) + [0xE9])

    private let small: SmallImageNet
    private let picture: [UInt8]

    init() throws {
        small = try SmallImageNet()
        picture = try fixtureBytes("chelsea.jpg")
    }

    /// Writes an image to a folder whose name need not be text.
    private func write(_ subset: String, _ name: FileName, count: Int = 1) throws {
        try FileManager.default.createDirectory(
            atPath: small.path("set/\(subset)"), withIntermediateDirectories: true)
        let folder = FileName(small.path("set/\(subset)")).appending(name)
        #expect(folder.withCString { mkdir($0, 0o755) } == 0)
        for number in 0..<count {
            let path = folder.appending(FileName("\(number).JPEG"))
            let file = try #require(path.withCString { fopen($0, "wb") })
            let bytes = picture + [UInt8(number)] + name.bytes + Array(subset.utf8)
            #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
            fclose(file)
        }
    }

    /// The same in an archive.
    private func archive(_ members: [(String, FileName)]) throws {
        let bytes = members.enumerated().flatMap { number, member in
            let text = "\(member.0)/\(String(repeating: "?", count: member.1.bytes.count))/x.JPEG"
            var bytes = Archives.member(text, picture + [UInt8(number)])
            let start = member.0.utf8.count + 1
            let (old, new) = (bytes[start..<(start + member.1.bytes.count)], member.1.bytes)
            var sum = 0
            for (a, b) in zip(old, new) { sum += Int(b) - Int(a) }
            bytes.replaceSubrange(start..<(start + new.count), with: new)
            let written = String(decoding: bytes[148..<154], as: UTF8.self)
            let digits = String((Int(written, radix: 8) ?? 0) + sum, radix: 8)
            let padded = String(repeating: "0", count: 6 - digits.count) + digits
            bytes.replaceSubrange(148..<154, with: Array(padded.utf8))
            return bytes
        }
        try small.write(bytes + [UInt8](repeating: 0, count: 1024), to: "set.tar")
    }

    @Test func textIsForPeople() {
        #expect(Self.composed != Self.decomposed && Self.composed.text == Self.decomposed.text)
        #expect(Self.latin.text == "caf\\xE9")
        #expect(FileName("a\nb").text == "a\\x0Ab")
        #expect(Self.decomposed.spelling == "cafe\\xCC\\x81")
    }

    @Test(arguments: ["set", "set.tar"]) func aNameThatIsNoTextIsAClass(path: String) throws {
        for (subset, name) in [
            ("train", Self.latin), ("train", FileName("b")), ("val", Self.latin),
        ] { try write(subset, name) }
        try archive([("train", Self.latin), ("train", FileName("b")), ("val", Self.latin)])
        _ = try small.index([path], output: "index")
        let dataset = try small.open("index")
        #expect(dataset.classes == ["b", "caf\\xE9"])
        #expect(dataset.validation.entries.map(\.label) == [2])
        let content = try Content(dataset)
        #expect(content.images[.val]?.first?.bytes.starts(with: picture) == true)
    }

    @Test(arguments: ["set", "set.tar"]) func twoSpellingsOfAClassAreRefused(path: String) throws {
        for name in [Self.composed, Self.decomposed] { try write("train", name) }
        try archive([("train", Self.composed), ("train", Self.decomposed)])
        #expect {
            try small.index([path], output: "index")
        } throws: {
            "\($0)".contains("caf\\xC3\\xA9") && "\($0)".contains("cafe\\xCC\\x81")
        }
    }

    @Test(arguments: ["set", "set.tar"])
    func anotherSpellingInValIsReadAndTold(path: String) throws {
        let members = [
            ("train", Self.composed), ("val", Self.decomposed), ("train", FileName("b")),
        ]
        for (subset, name) in members { try write(subset, name) }
        try archive(members)
        let summary = try small.index([path], output: "index")
        #expect(summary.warnings.contains { $0.contains("spelt otherwise") })
        let dataset = try small.open("index")
        #expect(dataset.validation.entries.map(\.label) == [2])
        #expect(try Content(dataset).images[.val]?.first?.bytes.starts(with: picture) == true)
        if path == "set" {
            #expect(try small.open("set").warnings.contains { $0.contains("spelt otherwise") })
        }
    }

    /// An index holds paths of archives as text.
    @Test func anArchiveWhoseNameIsNoTextIsRefused() throws {
        try write("train", FileName("a"))
        let path = FileName(small.path("set/train")).appending(
            FileName(Self.latin.bytes + Array(".tar".utf8)))
        let file = try #require(path.withCString { fopen($0, "wb") })
        fclose(file)
        #expect {
            try small.index(["set"], output: "index")
        } throws: {
            "\($0)".contains("caf\\xE9.tar: has a name that is not text")
        }
    }

    @Test func aClassOfValAloneIsNamedWhereItIs() throws {
        try write("train", FileName("a"))
        try write("val", FileName("z"))
        #expect {
            try small.index(["set"], output: "index")
        } throws: {
            "\($0)".hasPrefix(small.path("set/val/z") + ":")
        }
    }
}
