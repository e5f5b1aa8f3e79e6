import Foundation

/// The pictures that somebody names, one after the other: files, folders with all that is below
/// them, lists of paths, and pipes through which paths come.
///
/// It is read by one thread at a time.
public final class PictureSource: @unchecked Sendable {
    private enum Part {
        case files([FileName])
        case stream(PathStream)

        /// How many pictures; nil for a stream.
        var count: Int? {
            if case .files(let files) = self { return files.count }
            return nil
        }
    }

    /// How many pictures there are; nil where a pipe will tell.
    public let count: Int?
    /// What the user should know of what was passed over, a line each.
    public let warnings: [String]
    private var parts: ArraySlice<Part>
    private var place = 0

    /// Finds pictures; `-` stands for standard input.
    ///
    /// - Throws: Where one is not there, or is neither a picture, a folder nor a list.
    public init(_ arguments: [String]) throws(ImagesError) {
        var parts: [Part] = []
        var passedOver = PassedOver()
        for argument in arguments {
            parts.append(try Self.part(argument, &passedOver))
        }
        let counts = parts.compactMap(\.count)
        count = counts.count == parts.count ? counts.reduce(0, +) : nil
        (warnings, self.parts) = (passedOver.lines, parts[...])
    }

    /// The next picture; nil after the last.
    ///
    /// - Parameter onWait: Told when a pipe has nothing to read yet, and when it has again.
    func next(onWait: (Bool) -> Void) throws(ImagesError) -> PictureFile? {
        while let part = parts.first {
            switch part {
            case .files(let files):
                if place < files.count {
                    defer { place += 1 }
                    return PictureFile(files[place])
                }
            case .stream(let stream):
                if let file = try stream.next(onWait: onWait) { return file }
            }
            parts = parts.dropFirst()
            place = 0
        }
        return nil
    }

    private static func part(
        _ argument: String, _ passedOver: inout PassedOver
    ) throws(ImagesError) -> Part {
        if argument == "-" { return .stream(PathStream()) }
        let isFolderName = argument.count > 1 && argument.hasSuffix("/")
        let path = FileName(isFolderName ? String(argument.dropLast()) : argument)
        var status = stat()
        errno = 0
        guard path.withCString({ stat($0, &status) }) == 0 else {
            throw ByteFile.failure(path, errno)
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR:
            var files: [FileName] = []
            try walk(path, within: [], &files, &passedOver)
            if files.isEmpty { throw .noPictures(path: argument) }
            return .files(files)
        case S_IFREG:
            return .files(try file(path))
        default:
            return .stream(try PathStream(path))
        }
    }

    /// A picture, or what a list names.
    private static func file(_ path: FileName) throws(ImagesError) -> [FileName] {
        let file = try ByteFile(path)
        let head = try file.bytes(at: 0, count: min(file.size, ContentKind.headSize))
        if ContentKind(head).isPicture || FoundImage.isImage(path) { return [path] }
        guard PictureList.isList(head) else {
            throw .damaged(
                path: path.text,
                what: "is neither a picture nor a list of pictures: \(ContentKind(head).reason)",
                remedy: "name JPEG, PNG or WebP files, folders of them, or a text with a path a "
                    + "line")
        }
        let files = try PictureList.files(file, at: path)
        if files.isEmpty { throw .noPictures(path: path.text) }
        return files
    }

    /// All pictures below a folder, in byte order.
    ///
    /// - Parameter outer: The folders around it, which a link could lead back into.
    private static func walk(
        _ folder: FileName, within outer: [[UInt64]], _ files: inout [FileName],
        _ passedOver: inout PassedOver
    ) throws(ImagesError) {
        let identity = try FolderListing.identity(folder)
        if outer.contains(identity) { return passedOver.add(.link, folder.text) }
        for entry in try FolderListing.list(folder) {
            let path = folder.appending(entry.name)
            if entry.name.isHidden {
                passedOver.add(.hidden, path.text)
            } else if entry.isFolder {
                try walk(path, within: outer + [identity], &files, &passedOver)
            } else if FoundImage.isImage(entry.name) || Self.isPicture(path) {
                files.append(path)
            } else {
                passedOver.add(.noPicture, path.text)
            }
        }
    }

    /// Whether a file without a picture's name begins as a picture does.
    private static func isPicture(_ path: FileName) -> Bool {
        do throws(ImagesError) {
            let file = try ByteFile(path)
            return ContentKind(
                try file.bytes(at: 0, count: min(file.size, ContentKind.headSize))
            ).isPicture
        } catch {
            // Nothing says that it is one, and nobody asked for it by name.
            return false
        }
    }
}
