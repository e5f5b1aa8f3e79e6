/// What a tar archive holds, as paths: links followed, hidden files apart.
struct TarTree: Sendable {
    /// A file with content.
    struct File: Sendable {
        let parts: [FileName]
        let member: TarMember
    }

    private(set) var files: [File] = []
    private(set) var folders: [[FileName]] = []
    /// What hides, by the path of the hidden file or folder.
    private(set) var hidden: [[FileName]] = []
    /// Links that lead to no file in the archive, for messages.
    private(set) var brokenLinks: [String] = []
    /// Pipes and devices.
    private(set) var specials: [String] = []

    /// Reads the whole archive.
    ///
    /// - Parameter progress: Told how far the reader has come, in bytes.
    init(_ reader: TarReader, progress: (Int) -> Void) throws(ImagesError) {
        var reader = reader
        var links: [(parts: [FileName], member: TarMember)] = []
        while let member = try reader.next() {
            progress(reader.progress)
            let parts = FileName.parts(of: member.name.bytes)
            if let place = parts.firstIndex(where: \.isHidden) {
                hidden.append(Array(parts[...place]))
                if place > 0 { folders.append(Array(parts[..<place])) }
                continue
            }
            guard !parts.isEmpty else { continue }
            switch member.kind {
            case .file: files.append(File(parts: parts, member: member))
            case .folder: folders.append(parts)
            case .hardLink, .symbolicLink: links.append((parts, member))
            case .other: specials.append(member.name.text)
            }
        }
        if !links.isEmpty { follow(links) }
    }

    /// Links become files with the content that they lead to, also by way of other links.
    private mutating func follow(_ links: [(parts: [FileName], member: TarMember)]) {
        var contents: [[FileName]: TarMember] = [:]
        // Of two members with one name the later one counts, as when the archive is unpacked.
        for file in files { contents[file.parts] = file.member }
        var rest = links
        while !rest.isEmpty {
            var unsolved: [(parts: [FileName], member: TarMember)] = []
            for link in rest {
                guard let target = Self.target(link.member.kind, from: link.parts),
                    let content = contents[target]
                else {
                    unsolved.append(link)
                    continue
                }
                contents[link.parts] = content
                files.append(File(parts: link.parts, member: content))
            }
            if unsolved.count == rest.count { break }
            rest = unsolved
        }
        brokenLinks = rest.map(\.member.name.text)
    }

    /// The path that a link leads to; nil where that is outside of the archive.
    private static func target(_ kind: TarMember.Kind, from parts: [FileName]) -> [FileName]? {
        switch kind {
        case .hardLink(let name):
            return FileName.parts(of: name.bytes)
        case .symbolicLink(let path):
            guard path.bytes.first != UInt8(ascii: "/") else { return nil }
            var target = Array(parts.dropLast())
            for part in FileName.parts(of: path.bytes) {
                if part != FileName("..") {
                    target.append(part)
                } else if target.popLast() == nil {
                    return nil
                }
            }
            return target
        default: return nil
        }
    }
}
