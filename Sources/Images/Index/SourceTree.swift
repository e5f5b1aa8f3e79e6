/// Something in a folder or in an archive, links followed.
struct SourceEntry: Equatable, Sendable {
    let name: FileName
    let isFolder: Bool
    /// The place of its first byte in an archive.
    var offset = 0
    /// The size in bytes, in an archive.
    var size = 0
}

/// A folder or an archive, as what it holds: both are judged alike.
///
/// Paths are those below its root, as parts.
protocol SourceTree {
    /// Where it is, for messages.
    var path: String { get }
    /// The class of pictures that lie in no folder: its own name without an ending.
    var stem: FileName { get }
    /// What lies directly in a folder, in byte order of the names.
    func entries(_ folder: [FileName]) throws(ImagesError) -> [SourceEntry]
    /// Tells folders apart by which a link could lead back into one around it.
    func identity(_ folder: [FileName]) throws(ImagesError) -> [UInt64]
    /// A file's bytes, at most `limit` of them.
    func bytes(
        _ entry: SourceEntry, at parts: [FileName], limit: Int
    ) throws(ImagesError) -> [UInt8]
    /// The size of an image and a number that changes with its file.
    func measure(
        _ entry: SourceEntry, at parts: [FileName]
    ) throws(ImagesError) -> (size: Int, stamp: UInt64)
    /// A file or folder, for a message about it alone.
    func place(_ parts: [FileName]) -> String
    /// The same in a list of what was passed over.
    func shortPlace(_ parts: [FileName]) -> String
}

extension SourceTree {
    /// Whether a file's name or content is that of a picture. What cannot be read is taken for
    /// one, so that reading it tells why; a failing disk stops all.
    func isPicture(_ entry: SourceEntry, at parts: [FileName]) throws(ImagesError) -> Bool {
        if FoundImage.isImage(entry.name) { return true }
        do throws(ImagesError) {
            return ContentKind(
                try bytes(entry, at: parts, limit: ContentKind.headSize)
            ).isPicture
        } catch .inputOutput(let path, let reason) {
            throw .inputOutput(path: path, reason: reason)
        } catch {
            return true
        }
    }

    /// Whether a folder holds pictures, at any depth.
    func holdsPictures(_ folder: [FileName]) throws(ImagesError) -> Bool {
        for entry in try entries(folder) where !entry.name.isHidden {
            let parts = folder + [entry.name]
            if entry.isFolder ? try holdsPictures(parts) : FoundImage.isImage(entry.name) {
                return true
            }
        }
        return false
    }
}
