/// A part of a data set; the word is the folder's name in ImageNet's layout.
public enum Subset: String, CaseIterable, Sendable {
    /// Trained on.
    case train
    /// Images for choosing checkpoints; never trained on.
    case dev
    /// Images for reports; never trained on.
    case val

    /// The subset's number in an index.
    var code: UInt8 {
        switch self {
        case .train: 0
        case .dev: 1
        case .val: 2
        }
    }
}

/// What an index knows of one image: 64 bytes, little-endian, without padding.
struct ImageRecord: Equatable, Sendable {
    static let byteCount = 64

    /// The place of its first byte in its file; 0 where it is a file of its own.
    var offset: UInt64 = 0
    /// The size in bytes.
    var size: UInt64 = 0
    /// The place of its name among all names' bytes.
    var nameOffset: UInt64 = 0
    var nameLength: UInt32 = 0
    /// Which of the index's files it lies in.
    var file: UInt32 = 0
    /// The class, counted from 0 without the background.
    var classNumber: UInt32 = 0
    /// The width in pixels; 0 where nobody has looked.
    var width: UInt32 = 0
    /// The height in pixels; 0 where nobody has looked.
    var height: UInt32 = 0
    /// CRC-32 of its bytes; 0 where nobody has looked.
    var checksum: UInt32 = 0
    var subset = Subset.train
    /// The file format; 0 where nobody has looked.
    var format: UInt8 = 0
    var traits: ImageTraits = []

    init() {}

    /// Reads a record; nil where its subset is unknown.
    init?(_ bytes: UnsafeRawBufferPointer, at start: Int) {
        func value<Number: FixedWidthInteger>(_ offset: Int, _ type: Number.Type) -> Number {
            Number(littleEndian: bytes.loadUnaligned(fromByteOffset: start + offset, as: type))
        }
        let code = bytes[start + 48]
        guard let subset = Subset.allCases.first(where: { $0.code == code }) else { return nil }
        self.subset = subset
        offset = value(0, UInt64.self)
        size = value(8, UInt64.self)
        nameOffset = value(16, UInt64.self)
        nameLength = value(24, UInt32.self)
        file = value(28, UInt32.self)
        classNumber = value(32, UInt32.self)
        width = value(36, UInt32.self)
        height = value(40, UInt32.self)
        checksum = value(44, UInt32.self)
        format = bytes[start + 49]
        traits = ImageTraits(rawValue: value(50, UInt16.self))
    }

    /// Appends the record's bytes.
    func append(to bytes: inout [UInt8]) {
        func put(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        put(offset)
        put(size)
        put(nameOffset)
        for value in [nameLength, file, classNumber, width, height, checksum] { put(value) }
        put(subset.code)
        put(format)
        put(traits.rawValue)
        bytes.append(contentsOf: repeatElement(0, count: 12))
    }
}

/// What is unusual about an image.
public struct ImageTraits: OptionSet, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The image lies directly in its subset's folder, without a folder of its class.
    static let flat = ImageTraits(rawValue: 1)
    /// Nothing can be decoded; left out by the user's will.
    public static let skipped = ImageTraits(rawValue: 2)
    /// One channel only.
    public static let grey = ImageTraits(rawValue: 4)
    /// Four inks: CMYK or YCCK.
    public static let ink = ImageTraits(rawValue: 8)
    /// More than 8 bits a channel.
    public static let deep = ImageTraits(rawValue: 16)
    /// An EXIF orientation other than upright, which is ignored.
    public static let rotated = ImageTraits(rawValue: 32)
    /// The image is of another format than its name says.
    public static let misnamed = ImageTraits(rawValue: 64)
    /// Stored in several scans.
    public static let progressive = ImageTraits(rawValue: 128)
    /// Compressed once more, with gzip.
    static let packed = ImageTraits(rawValue: 256)
    /// The image's name begins with a folder that its path does not have.
    static let bare = ImageTraits(rawValue: 1024)
    /// A table names its path, which is all its name.
    static let listed = ImageTraits(rawValue: 2048)
    /// Parts of it may be transparent.
    public static let alpha = ImageTraits(rawValue: 4096)
    /// A JPEG whose head breaks the standard in ways that change no pixel.
    static let irregular = ImageTraits(rawValue: 512)
}
