import Foundation
import TestSupport
import Testing

/// The README, the guide and the notes beside the scripts: links lead somewhere, and the commands
/// in them are commands of the programs, with options that those have.
@Suite struct DocumentationTests {
    private static let project = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// The Markdown files, as paths relative to the project.
    private static func articles() throws -> [String] {
        var found = ["README.md"]
        for folder in ["Sources", "cluster"] {
            let names = try FileManager.default.subpathsOfDirectory(atPath: "\(project)/\(folder)")
            found += names.filter { $0.hasSuffix(".md") }.map { "\(folder)/\($0)" }
        }
        return found.sorted()
    }

    private static func text(_ article: String) throws -> String {
        try String(contentsOfFile: "\(project)/\(article)", encoding: .utf8)
    }

    @Test func linksLeadToFiles() throws {
        let articles = try Self.articles()
        #expect(articles.count > 10)
        for article in articles {
            let folder = URL(fileURLWithPath: "\(Self.project)/\(article)")
                .deletingLastPathComponent().path
            for link in try Self.text(article).matches(of: /\]\(([^)#\s]+)\)/) {
                let target = String(link.1)
                guard !target.hasPrefix("http") else { continue }
                let exists = FileManager.default.fileExists(atPath: "\(folder)/\(target)")
                #expect(exists, "\(article) links to \(target)")
            }
        }
    }

    /// The guide's own list of articles leaves none out.
    @Test func theGuideListsEachArticle() throws {
        let catalog = "Sources/saccader-dist/saccader-dist.docc"
        let guide = try Self.text("\(catalog)/Guide.md")
        for article in try Self.articles() where article.hasPrefix(catalog) {
            let name = URL(fileURLWithPath: article).deletingPathExtension().lastPathComponent
            #expect(name == "Guide" || guide.contains("<doc:\(name)>"), "\(name)")
        }
    }

    /// A type, function or file that an article names is there: no rename leaves the guide behind.
    @Test func namesInTheArticlesExist() throws {
        let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
        let wordBytes = Set(letters.utf8)
        var known: Set<Substring> = []
        for folder in ["Sources", "Tests", "cluster"] {
            for path in try FileManager.default.subpathsOfDirectory(
                atPath: "\(Self.project)/\(folder)")
            {
                known.formUnion(path.split { "/.+".contains($0) })
                guard path.hasSuffix(".swift") else { continue }
                let words = try Self.text("\(folder)/\(path)").utf8.split {
                    !wordBytes.contains($0)
                }
                known.formUnion(words.map { Substring($0) })
            }
        }
        for article in try Self.articles() {
            // `Type`, `Type.member`, `Type+Topic`; keys and commands begin with a small letter.
            for name in try Self.text(article).matches(of: /`([A-Z]\w*[a-z]\w*(?:[.+]\w+)*)`/) {
                let parts = name.1.split { ".+".contains($0) }
                #expect(parts.allSatisfy(known.contains), "\(article): \(name.1)")
            }
        }
    }

    /// One sitting: 220 lines and 15 kB.
    @Test func theReadmeIsShort() throws {
        let readme = try Self.text("README.md")
        #expect(readme.utf8.count <= 15_000)
        #expect(readme.split(separator: "\n", omittingEmptySubsequences: false).count <= 220)
    }

    @Test func commandsAndOptionsExist() throws {
        var helps: [[String]: String] = [:]
        var seen = 0
        for article in try Self.articles() {
            for words in Self.commands(in: try Self.text(article)) {
                let command = try Self.command(of: words, &helps)
                let help = try Self.help(command, &helps)
                seen += 1
                for option in words.filter({ $0.hasPrefix("--") }) {
                    let name = option.split(separator: "=")[0]
                    let known = help.contains(try Regex("\(name)(?![a-z-])"))
                    #expect(known, "\(article): \(command.joined(separator: " ")) has no \(name)")
                }
            }
        }
        #expect(seen > 30)
    }

    /// The commands of the indented examples, from the program's name to the end of the command.
    private static func commands(in text: String) -> [[String]] {
        let joined = text.replacing("\\\n", with: " ")
        return joined.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("    ") else { return nil }
            let words = line.split(separator: " ").map(String.init)
            let programs = ["saccader-dist", "saccader-eval"]
            guard let start = words.firstIndex(where: programs.contains),
                // A program's name in an example of another command, as `cd saccader-dist`, is none.
                start == 0 || ["$", "mpirun", "srun", "cluster/local/mpirun"].contains(words[0])
            else { return nil }
            let ends = ["#", "|", ">", "&&", "&", ";"]
            return Array(words[start...].prefix { word in !ends.contains { word.hasPrefix($0) } })
        }
    }

    /// The program with its subcommands, as far as its help lists them.
    private static func command(
        of words: [String], _ helps: inout [[String]: String]
    ) throws -> [String] {
        var command = [words[0]]
        for word in words.dropFirst() {
            guard word.first?.isLetter == true else { break }
            let help = try help(command, &helps)
            let listed = "\n  \(word)"
            let named = "\(command.joined(separator: " ")) \(word) "
            guard ["\(listed) ", "\(listed)\n", named].contains(where: help.contains) else { break }
            command.append(word)
        }
        // Options of a program without a subcommand are those of its default one.
        if let usual = try Self.help(command, &helps).firstMatch(of: /\n  ([a-z-]+) \(default\)/) {
            command.append(String(usual.1))
        }
        return command
    }

    private static func help(
        _ command: [String], _ helps: inout [[String]: String]
    ) throws -> String {
        if let known = helps[command] { return known }
        let run = try CommandRun(command[0], Array(command.dropFirst()) + ["--help"])
        #expect(run.status == 0, "\(command)")
        helps[command] = run.output
        return run.output
    }
}
