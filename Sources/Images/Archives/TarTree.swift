/// What a tar archive holds, by folders: links followed, of files with one name the last, as when
/// the archive is unpacked.
struct TarTree: SourceTree, Sendable {
    let path: String
    let stem: FileName
    private let file: ByteFile
    /// What lies directly in each folder, by the folder's path.
    private var content: [FileName: [SourceEntry]] = [FileName(""): []]
    /// Links that lead to no file in the archive, for messages.
    private(set) var brokenLinks: [String] = []
    /// Pipes and devices.
    private(set) var specials: [String] = []
    /// Files that the archive holds more than once.
    private(set) var repeated: [String] = []
    /// Where links to folders lead, by their paths.
    private var folderLinks: [FileName: [FileName]] = [:]

    private typealias Link = (parts: [FileName], member: TarMember)

    /// Reads the list of the archive that is the whole of `file`.
    ///
    /// - Parameter progress: Told how far the reader has come, in bytes.
    init(_ file: ByteFile, progress: (Int) -> Void) throws(ImagesError) {
        let name = FileName.parts(of: file.path.utf8).last ?? FileName(file.path)
        try self.init(file, TarReader(file), path: file.path, stem: name.stem, progress)
    }

    /// Reads the list of the archive that is a member of the archive `outer`.
    init(
        _ entry: SourceEntry, at parts: [FileName], of outer: TarTree
    ) throws(ImagesError) {
        let member = TarMember(
            name: FileName(joining: parts), offset: entry.offset, size: entry.size)
        try self.init(
            outer.file, TarReader(member, of: outer.file), path: outer.place(parts),
            stem: entry.name.stem
        ) { _ in }
    }

    private init(
        _ file: ByteFile, _ reader: TarReader, path: String, stem: FileName,
        _ progress: (Int) -> Void
    ) throws(ImagesError) {
        (self.file, self.path, self.stem) = (file, path, stem)
        var (reader, links, hidden) = (reader, [Link](), Set<FileName>())
        while let member = try reader.next() {
            progress(reader.progress)
            let parts = FileName.parts(of: member.name.bytes)
            guard let name = parts.last else { continue }
            // What lies in a hidden folder is of no use; that it hides is told.
            if let place = parts.firstIndex(where: \.isHidden), place < parts.count - 1 {
                if hidden.insert(FileName(joining: parts[...place])).inserted {
                    addFolder(parts[...place])
                }
                continue
            }
            switch member.kind {
            case .file:
                add(
                    SourceEntry(
                        name: name, isFolder: false, offset: member.offset, size: member.size),
                    to: parts.dropLast())
            case .folder: addFolder(parts[...])
            case .hardLink, .symbolicLink: links.append((parts, member))
            case .other: specials.append(member.name.text)
            }
        }
        if !links.isEmpty { follow(links) }
        for folder in content.keys { putInOrder(folder) }
    }

    private mutating func add(_ entry: SourceEntry, to folder: ArraySlice<FileName>) {
        let path = FileName(joining: folder)
        if content[path] == nil { addFolder(folder) }
        content[path, default: []].append(entry)
    }

    /// Notes a folder and those around it.
    private mutating func addFolder(_ parts: ArraySlice<FileName>) {
        guard let name = parts.last, content[FileName(joining: parts)] == nil else { return }
        content[FileName(joining: parts)] = []
        add(SourceEntry(name: name, isFolder: true), to: parts.dropLast())
    }

    /// Byte order of the names; of files with the same name the last.
    private mutating func putInOrder(_ folder: FileName) {
        let entries = content[folder] ?? []
        var isSorted = true
        for (first, second) in zip(entries, entries.dropFirst())
        where !(first.name < second.name) {
            isSorted = false
        }
        guard !isSorted else { return }
        // Equal names stay in their order: Swift's sort is stable.
        var result: [SourceEntry] = []
        result.reserveCapacity(entries.count)
        for entry in entries.sorted(by: { $0.name < $1.name }) {
            if let last = result.last, last.name == entry.name, !last.isFolder, !entry.isFolder {
                repeated.append(
                    folder.bytes.isEmpty ? entry.name.text : folder.appending(entry.name).text)
                result.removeLast()
            }
            result.append(entry)
        }
        content[folder] = result
    }

    // MARK: Links

    /// Links become files with the content that they lead to, also by way of other links.
    private mutating func follow(_ links: [Link]) {
        var files: [FileName: SourceEntry] = [:]
        for (folder, entries) in content {
            for entry in entries where !entry.isFolder {
                files[folder.bytes.isEmpty ? entry.name : folder.appending(entry.name)] = entry
            }
        }
        var rest = links
        while !rest.isEmpty {
            var unsolved: [Link] = []
            for link in rest {
                guard let name = link.parts.last,
                    let target = Self.target(link.member.kind, from: link.parts),
                    let found = files[FileName(joining: target)]
                else {
                    unsolved.append(link)
                    continue
                }
                let entry = SourceEntry(
                    name: name, isFolder: false, offset: found.offset, size: found.size)
                files[FileName(joining: link.parts)] = entry
                add(entry, to: link.parts.dropLast())
            }
            if unsolved.count == rest.count { break }
            rest = unsolved
        }
        followToFolders(rest)
    }

    /// Links to folders are folders with the same content.
    private mutating func followToFolders(_ links: [Link]) {
        for link in links {
            let path = FileName(joining: link.parts)
            guard let name = link.parts.last, content[path] == nil,
                let target = Self.target(link.member.kind, from: link.parts),
                content[FileName(joining: target)] != nil
            else {
                brokenLinks.append(link.member.name.text)
                continue
            }
            folderLinks[path] = target
            add(SourceEntry(name: name, isFolder: true), to: link.parts.dropLast())
        }
    }

    /// A folder's path where no part is a link.
    private func resolved(_ folder: [FileName]) -> FileName {
        guard !folderLinks.isEmpty else { return FileName(joining: folder) }
        var result: [FileName] = []
        for part in folder {
            result.append(part)
            if let target = folderLinks[FileName(joining: result)] { result = target }
        }
        return FileName(joining: result)
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

    // MARK: SourceTree

    func entries(_ folder: [FileName]) -> [SourceEntry] {
        content[resolved(folder)] ?? []
    }

    func identity(_ folder: [FileName]) -> [UInt64] { [resolved(folder).stableHash] }

    func bytes(
        _ entry: SourceEntry, at parts: [FileName], limit: Int
    ) throws(ImagesError) -> [UInt8] {
        try file.bytes(at: entry.offset, count: min(entry.size, limit))
    }

    func measure(_ entry: SourceEntry, at parts: [FileName]) -> (size: Int, stamp: UInt64) {
        (entry.size, 0)
    }

    func place(_ parts: [FileName]) -> String { "\(path): \(FileName(joining: parts).text)" }

    func shortPlace(_ parts: [FileName]) -> String { place(parts) }
}
