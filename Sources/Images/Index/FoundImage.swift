/// An image that a scan came upon.
struct FoundImage: Sendable {
    /// The part of the data set that it was found in.
    let subset: Subset
    /// The class's name; nil where only the ground truth knows it.
    var className: FileName?
    /// Its path below the folder of its class, or of its subset.
    let name: FileName
    /// Which of the scan's containers it lies in.
    let container: Int
    /// Of its first byte in an archive.
    let offset: Int
    /// In bytes; 0 in a folder where nobody has looked.
    let size: Int
    /// Whether it lies directly in its subset's folder.
    let isFlat: Bool

    /// Names that are taken for images; what they really are shows when they are read. Of others
    /// the content decides.
    static func isImage(_ name: FileName) -> Bool { endings.contains(name.ending) }

    private static let endings: Set<String> = [
        "jpeg", "jpg", "jpe", "jfif", "png", "gif", "bmp", "webp", "tif", "tiff", "ppm", "pgm",
        "heic", "heif", "avif", "jxl", "jp2",
    ]
}
