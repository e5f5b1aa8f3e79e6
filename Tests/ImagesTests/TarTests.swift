import Foundation
import Testing

@testable import Images

private func members(_ bytes: [UInt8]) throws -> [TarMember] {
    var reader = TarReader(ByteFile(path: "a.tar", content: bytes))
    var result: [TarMember] = []
    while let member = try reader.next() { result.append(member) }
    return result
}

private let end = [UInt8](repeating: 0, count: 1024)

@Test func tarMembersAreFoundWhereTheyLie() throws {
    let bytes = Archives.tar([
        ("a", [1, 2, 3]), ("b/c", []), ("d", [UInt8](repeating: 7, count: 512)),
    ])
    #expect(
        try members(bytes) == [
            TarMember(name: FileName("a"), offset: 512, size: 3),
            TarMember(name: FileName("b/c"), offset: 1536, size: 0),
            TarMember(name: FileName("d"), offset: 2048, size: 512),
        ])
}

@Test func longNamesOfBothKindsAreRead() throws {
    let long = String(repeating: "directory/", count: 20) + "x.JPEG"
    let gnu = Archives.member("././@LongLink", Array(long.utf8) + [0], type: "L")
    let record = " path=\(long)\n"
    let length = record.utf8.count + 3
    let pax = Archives.member("pax", Array("\(length)\(record)".utf8), type: "x")
    for head in [gnu, pax] {
        let bytes = head + Archives.member("short", [5]) + Archives.member("next", [6]) + end
        #expect(try members(bytes).map(\.name.text) == [long, "next"])
    }
}

@Test func foldersAndLinksAreToldFromFiles() throws {
    let bytes =
        Archives.member("folder/", [], type: "5")
        + Archives.member("soft", [], type: "2", link: "file")
        + Archives.member("hard", [], type: "1", link: "folder/file")
        + Archives.member("pipe", [], type: "6") + Archives.member("file", [1]) + end
    #expect(
        try members(bytes).map(\.kind) == [
            .folder, .symbolicLink(FileName("file")), .hardLink(FileName("folder/file")), .other,
            .file,
        ])
}

@Test func longLinksOfBothKindsAreRead() throws {
    let long = String(repeating: "directory/", count: 20) + "x.JPEG"
    let gnu = Archives.member("././@LongLink", Array(long.utf8) + [0], type: "K")
    let record = " linkpath=\(long)\n"
    let pax = Archives.member("pax", Array("\(record.utf8.count + 3)\(record)".utf8), type: "x")
    for head in [gnu, pax] {
        let bytes = head + Archives.member("a", [], type: "2", link: "cut") + end
        #expect(try members(bytes).map(\.kind) == [.symbolicLink(FileName(long))])
    }
}

@Test func linksBecomeTheFilesThatTheyLeadTo() throws {
    let bytes =
        Archives.member("a/first.JPEG", [1, 2])
        + Archives.member("b/up.JPEG", [], type: "2", link: "../b/hard.JPEG")
        + Archives.member("b/hard.JPEG", [], type: "1", link: "./a/first.JPEG")
        + Archives.member("b/nowhere.JPEG", [], type: "2", link: "../../outside.JPEG")
        + Archives.member("b/self.JPEG", [], type: "2", link: "self.JPEG") + end
    let tree = try TarTree(ByteFile(path: "a.tar", content: bytes)) { _ in }
    #expect(tree.entries([]).map(\.name.text) == ["a", "b"])
    #expect(tree.entries([FileName("a")]).map(\.name.text) == ["first.JPEG"])
    let linked = tree.entries([FileName("b")])
    #expect(linked.map(\.name.text) == ["hard.JPEG", "up.JPEG"])
    #expect(linked.map(\.offset) == [512, 512] && linked.map(\.size) == [2, 2])
    #expect(tree.brokenLinks == ["b/nowhere.JPEG", "b/self.JPEG"])
}

@Test func linksToFoldersAreFolders() throws {
    let bytes =
        Archives.member("b", [], type: "2", link: "a") + Archives.member("a/x", [1])
        + Archives.member("a/up", [], type: "2", link: "..") + end
    let tree = try TarTree(ByteFile(path: "a.tar", content: bytes)) { _ in }
    #expect(tree.entries([]).map(\.isFolder) == [true, true])
    #expect(tree.entries([FileName("b")]) == tree.entries([FileName("a")]))
    let around = ["b", "up", "a"].map { FileName($0) }
    #expect(tree.entries(around) == tree.entries([FileName("a")]))
    #expect(tree.identity(around) == tree.identity([FileName("a")]))
    #expect(tree.brokenLinks.isEmpty)
}

@Test func theLastOfTheFilesWithOneNameCounts() throws {
    let bytes = Archives.tar([("a/x", [1]), ("a/y", [2]), ("a/x", [3, 4])])
    let tree = try TarTree(ByteFile(path: "a.tar", content: bytes)) { _ in }
    #expect(tree.entries([FileName("a")]).map(\.size) == [2, 1])
    #expect(tree.repeated == ["a/x"])
}

@Test func joinedArchivesAreReadToTheEnd() throws {
    let (first, second) = (Archives.tar([("a", [1])]), Archives.tar([("b", [2])]))
    #expect(try members(first + second).map(\.name.text) == ["a", "b"])
    // As tar writes it in blocks of 10,240 bytes.
    let padded = first + [UInt8](repeating: 0, count: 10_240 - first.count)
    #expect(try members(padded + second + padded).map(\.name.text) == ["a", "b", "a"])
    #expect {
        try members(first + Array("rubbish".utf8))
    } throws: {
        "\($0)".contains("bytes after its end mark, at byte \(first.count)")
    }
}

@Test func sparseFilesOfBothKindsAreRefused() throws {
    let records = ["22 GNU.sparse.major=1\n", "22 GNU.sparse.minor=0\n", "21 GNU.sparse.name=a\n"]
    let pax =
        Archives.member("pax", Array(records.joined().utf8), type: "x")
        + Archives.member("GNUSparseFile.0/a", [1, 2, 3])
    for member in [pax, Archives.member("a", [1], type: "S")] {
        #expect {
            try members(member + end)
        } throws: {
            "\($0)".contains("a.tar: stores a as a sparse file")
        }
    }
}

@Test func damagedArchivesAreNamedWithThePlace() throws {
    let good = Archives.tar([("a", [UInt8](repeating: 1, count: 600)), ("b", [2])])
    var flipped = good
    flipped[512 + 1024 + 3] ^= 0x40
    let cases: [([UInt8], String)] = [
        (Array(good.dropLast(1024)), "without an end mark"),
        (Array(good.prefix(1000)), "ends in the middle of a"),
        (flipped, "no valid tar header at byte 1536"),
        ([1, 2, 3], "without an end mark"),
    ]
    for (bytes, words) in cases {
        #expect {
            try members(bytes)
        } throws: {
            "\($0)".contains("a.tar: ") && "\($0)".contains(words)
        }
    }
}

@Test func matFilesAreReadPackedAndUnpacked() throws {
    let packed = try MatFile(fixtureBytes("meta.mat"), path: "meta.mat")
    let plain = try MatFile(fixtureBytes("meta-plain.mat"), path: "meta.mat")
    #expect(packed.variables == plain.variables)
    guard case .structures(let fields) = packed.variables["synsets"] else {
        Issue.record("no structures")
        return
    }
    #expect(fields["WNID"]?.map(\.string) == SmallImageNet.classes + ["n02512053"])
    #expect(fields["ILSVRC2012_ID"]?.map(\.number) == [1, 2, 3, 4, 5])
    #expect(fields["children"]?.last == .numbers([2, 4]))
    #expect(throws: ImagesError.self) { try MatFile([1, 2, 3], path: "meta.mat") }
}

/// Each field has as many values as there are structures, or readers of one would look beyond it.
@Test func aFieldGivenTwiceIsRefused() throws {
    let bytes = try fixtureBytes("corpus/mat/double-field.mat")
    var labels = Labels()
    #expect {
        try labels.add(bytes, path: "meta.mat")
    } throws: {
        "\($0)".contains("meta.mat: ") && "\($0)".contains("two fields of one name")
    }
}
