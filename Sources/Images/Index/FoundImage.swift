/// An image that a scan came upon.
struct FoundImage: Sendable {
    /// The part of the data set that it is used for.
    let subset: Subset
    /// The class's name; nil where only labels know it.
    var className: FileName?
    /// What its name in an index begins with: as a rule the folder of its subset.
    let folder: FileName?
    /// The rest of its name, below its class, or of its whole path where a table names it.
    let name: FileName
    /// Which of the scan's containers it lies in.
    let container: Int
    /// The place of its first byte in an archive.
    var offset = 0
    /// The size in bytes; 0 in a folder where nobody has looked.
    var size = 0
    /// How its path follows from its name.
    var traits: ImageTraits = []

    /// The image's name in an index: folder, class and the rest; of an image in a table the path.
    var fullName: FileName {
        guard !traits.contains(.listed) else { return name }
        return FileName(joining: [folder, className ?? FileName(""), name].compactMap { $0 })
    }

    /// Names that are taken for images; what they really are shows when they are read. Of others
    /// the content decides.
    static func isImage(_ name: FileName) -> Bool { endings.contains(name.ending) }

    private static let endings: Set<String> = [
        "jpeg", "jpg", "jpe", "jfif", "png", "gif", "bmp", "webp", "tif", "tiff", "ppm", "pgm",
        "heic", "heif", "avif", "jxl", "jp2",
    ]
}
