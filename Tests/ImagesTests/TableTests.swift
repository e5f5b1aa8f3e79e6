import Foundation
import TestSupport
import Testing

@testable import Images

/// Images and classes from tables.
@Suite struct TableTests {
    private let small: SmallImageNet

    init() throws {
        small = try SmallImageNet()
        let picture = try fixtureBytes("grey.png")
        for number in 0..<10 {
            try small.write(picture + [UInt8(number)], to: "t/im/\(number).png")
        }
    }

    private func rows(_ text: String, delimiter: String = ",") throws -> [[String]] {
        var text = DelimitedText(Array(text.utf8), delimiter: delimiter.utf8.first ?? 0)
        var rows: [[String]] = []
        while let row = try text.next() {
            rows.append(row.values.map { String(decoding: $0, as: UTF8.self) })
        }
        return rows
    }

    private func index(_ text: String, name: String = "t/table.csv") throws -> IndexSummary {
        try small.write(Array(text.utf8), to: name)
        return try small.index([name], output: "index") { $0.developmentFraction = 0 }
    }

    @Test func valuesAreReadAsTheStandardHasThem() throws {
        #expect(try rows("a,b\r\nc,\n,d") == [["a", "b"], ["c", ""], ["", "d"]])
        #expect(try rows("a\rb\r\n\n\n\"\"\n") == [["a"], ["b"]])
        #expect(try rows("\"a,\"\"b\"\"\r\nc\",d\n") == [["a,\"b\"\r\nc", "d"]])
        #expect(try rows("a;\"b\"", delimiter: ";") == [["a", "b"]])
        #expect(try rows("") == [])
        for (text, line, what) in [
            ("a\n\"b\nc", 2, "not closed"), ("a\nb\"c", 2, "within a value"),
            ("\"x\ny\"z", 2, "behind a closed"),
        ] {
            #expect {
                try rows(text)
            } throws: {
                let damage = $0 as? DelimitedText.Damage
                return damage?.line == line && damage?.what.contains(what) == true
            }
        }
    }

    /// With the mark and the line ends of Windows, quoted, with other columns and delimiters.
    @Test(arguments: [
        "path,label\nim/0.png,cat\nim/1.png,dog\n",
        "\u{FEFF}Path,Label\r\nim/0.png,cat\r\nim/1.png,dog\r\n",
        "id;filename;class\n1;\"im/0.png\";cat\n2;im/1.png;dog\n",
        "label\timage\ncat\tim/0.png\ndog\tim/1.png",
        "path,label\nim\\0.png,cat\nim\\1.png,dog\n",
        "path,label,split\nim/0.png,cat,train\nim/1.png,dog,training\n",
    ])
    func aTableIsReadAsItIsMeant(text: String) throws {
        _ = try index(text)
        let dataset = try small.open("index")
        #expect(dataset.classes == ["cat", "dog"])
        #expect(dataset.training.entries.map(\.name) == ["im/0.png", "im/1.png"])
        #expect(dataset.training.path(1).hasSuffix("/t/im/1.png"))
        _ = try Content(dataset)
    }

    @Test func splitsAreTakenAtTheirWord() throws {
        let text = "path,label,split\nim/0.png,a,train\nim/1.png,b,train\nim/2.png,a,valid\n"
        var summary = try index(text + "im/3.png,b,dev\nim/4.png,b,test\n")
        #expect(summary.counts == [.train: 2, .dev: 1, .val: 1])
        #expect(summary.warnings.contains { $0.hasPrefix("test images") && $0.contains("4.png") })
        summary = try index(
            "path,label,split\nim/0.png,a,train\nim/1.png,b,train\nim/2.png,b,test\n")
        #expect(summary.counts == [.train: 2, .val: 1])
    }

    @Test func tablesWithoutASplitAreDivided() throws {
        let text = "path,label\n" + (0..<10).map { "im/\($0).png,\($0 / 5)\n" }.joined()
        let summary = try index(text)
        #expect(summary.counts == [.train: 8, .val: 2])
        #expect(try ImageIndex(reading: small.path("index")).header.validationFraction == 0.2)
        // Absolute paths, and a table elsewhere.
        let absolute = text.replacing("im/", with: small.path("t/im/"))
        #expect(try index(absolute, name: "elsewhere/x.csv").counts == [.train: 8, .val: 2])
        _ = try Content(small.open("index"))
    }

    /// Each problem names the line.
    @Test(arguments: [
        ("path,label\nim/0.png,a\nim/0.png,b\n", "table.csv:3: names im/0.png again (line 2)"),
        ("path,label\nim/0.png\n", "table.csv:2: has 1 values, but the header names 2"),
        ("path,label\nim/0.png,\n", "table.csv:2: names no label"),
        ("path,label\n,a\n", "table.csv:2: names no path"),
        ("path,label,split\nim/0.png,a,later\n", "table.csv:2: puts im/0.png into \"later\""),
        ("path,label\n\"im/0.png,a\n", "table.csv:2: has a quotation mark that is not closed"),
        ("im/0.png,a\nim/1.png,b\n", "no header; write path,label"),
        ("path,file,label\na,b,c\n", "two columns for one thing, path and file"),
        ("path,label\n", "holds no images"),
    ])
    func whatIsWrongIsNamed(text: String, words: String) throws {
        #expect {
            try index(text)
        } throws: {
            "\($0)".contains(words)
        }
    }

    @Test func imagesThatAreNotThereAreNamed() throws {
        let summary = try index("path,label\nim/0.png,a\nim/99.png,b\n")
        #expect(summary.problems.map(\.name) == ["im/99.png"])
    }

    /// A table beside folders is not mixed with them.
    @Test func aTableInAFolderIsTold() throws {
        try small.writeFolders("set")
        for name in ["labels.csv", "t.csv"] {
            try small.write(Array("path,label\nx.png,a\n".utf8), to: "set/\(name)")
        }
        let warnings = try small.index(["set"], output: "index").warnings
        #expect(warnings.contains { $0.hasPrefix("tables") && $0.contains("labels.csv, t.csv") })
        // Where the folder alone says nothing of classes, the table is named.
        try small.write(Array("path,label\nim/0.png,a\n".utf8), to: "t/labels.csv")
        #expect {
            try small.index(["t"], output: "index")
        } throws: {
            "\($0)".contains("name its table, labels.csv, instead of the folder")
        }
    }
}
