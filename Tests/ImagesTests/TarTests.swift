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
            TarMember(name: "a", offset: 512, size: 3),
            TarMember(name: "b/c", offset: 1536, size: 0),
            TarMember(name: "d", offset: 2048, size: 512),
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
        #expect(try members(bytes).map(\.name) == [long, "next"])
    }
}

@Test func foldersAndLinksAreNoImages() throws {
    let bytes =
        Archives.member("folder/", [], type: "5") + Archives.member("link", [], type: "2")
        + Archives.member("file", [1]) + end
    #expect(try members(bytes).map(\.name) == ["file"])
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
