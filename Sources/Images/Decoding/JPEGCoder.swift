import CTurboJPEG
import Foundation

/// Reads JPEG files; one per thread.
final class JPEGDecoder {
    private var handle: tjhandle?

    /// Readies a decoder.
    init() { handle = tjInitDecompress() }

    deinit { if let handle { tjDestroy(handle) } }

    private func reason() -> String {
        String(cString: tjGetErrorStr2(handle)).split(separator: "\n").joined(separator: " ")
    }

    /// The error that happened. After one, TurboJPEG may go on in the middle of the bad file when
    /// it is given the next: a new handle knows nothing of it.
    private func failure(_ path: String) -> ImagesError {
        let error = ImagesError.unreadable(path: path, reason: reason())
        if let handle { tjDestroy(handle) }
        handle = tjInitDecompress()
        return error
    }

    /// Size and colours, from the head of a file's bytes.
    private func size(
        _ data: [UInt8], path: String
    ) throws(ImagesError) -> (height: Int, width: Int, space: UInt32) {
        if data.isEmpty { throw .unreadable(path: path, reason: "the file is empty") }
        var (width, height, subsampling, space) = (Int32(0), Int32(0), Int32(0), Int32(0))
        let status = tjDecompressHeader3(
            handle, data, UInt(data.count), &width, &height, &subsampling, &space)
        guard status == 0 else { throw failure(path) }
        try Pixels.requireFit(height: Int(height), width: Int(width), path: path)
        return (Int(height), Int(width), UInt32(space))
    }

    private static func isInk(_ space: UInt32) -> Bool {
        space == TJCS_CMYK.rawValue || space == TJCS_YCCK.rawValue
    }

    /// What the head of a file's bytes says, without decoding.
    func head(_ data: [UInt8], path: String) throws(ImagesError) -> ImageHead {
        let (height, width, space) = try size(data, path: path)
        let markers = JPEGMarkers(data)
        var traits: ImageTraits = []
        if Self.isInk(space) { traits.insert(.ink) }
        if space == TJCS_GRAY.rawValue { traits.insert(.grey) }
        if markers.isProgressive { traits.insert(.progressive) }
        if markers.orientation != 1 { traits.insert(.rotated) }
        return ImageHead(format: .jpeg, height: height, width: width, traits: traits)
    }

    /// Decodes a file's bytes; grey and YCCK become RGB, EXIF orientation is ignored.
    func decode(_ data: [UInt8], path: String) throws(ImagesError) -> Pixels {
        let (height, width, space) = try size(data, path: path)
        let isInk = Self.isInk(space)
        let format = isInk ? TJPF_CMYK : TJPF_RGB
        var bytes = [UInt8](repeating: 0, count: height * width * (isInk ? 4 : 3))
        let status = tjDecompress2(
            handle, data, UInt(data.count), &bytes, Int32(width), 0, Int32(height),
            Int32(format.rawValue), TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS)
        // A warning means damaged data: it is an error here, as nothing is silently replaced, but
        // for stray bytes between whole segments, which change no pixel.
        guard status == 0 || isAboutStrayBytes() else {
            throw failure(path)
        }
        if isInk { bytes = Self.fromInk(bytes) }
        return Pixels(height: height, width: width, bytes: bytes)
    }

    private func isAboutStrayBytes() -> Bool {
        tjGetErrorCode(handle) == TJERR_WARNING.rawValue
            && reason().contains("extraneous bytes before marker")
    }

    /// CMYK as Adobe's programs store it, inverted: each colour is darkened by black.
    private static func fromInk(_ ink: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(ink.count / 4 * 3)
        for pixel in stride(from: 0, to: ink.count, by: 4) {
            let black = Int(ink[pixel + 3])
            for channel in 0..<3 {
                bytes.append(UInt8(Int(ink[pixel + channel]) * black / 255))
            }
        }
        return bytes
    }
}

/// Writes JPEG files without colour subsampling.
public final class JPEGEncoder {
    private let handle: tjhandle?

    /// Readies an encoder.
    public init() { handle = tjInitCompress() }

    deinit { if let handle { tjDestroy(handle) } }

    /// Writes `pixels` to `path`.
    ///
    /// - Parameter quality: 1–100.
    public func encode(_ pixels: Pixels, quality: Int, to path: String) throws(ImagesError) {
        var buffer: UnsafeMutablePointer<UInt8>?
        var length: UInt = 0
        defer { if let buffer { tjFree(buffer) } }
        let status = tjCompress2(
            handle, pixels.bytes, Int32(pixels.width), 0, Int32(pixels.height),
            Int32(TJPF_RGB.rawValue), &buffer, &length, Int32(TJSAMP_444.rawValue),
            Int32(quality), TJFLAG_ACCURATEDCT)
        guard status == 0, let buffer else {
            throw .unwritable(path: path, reason: String(cString: tjGetErrorStr2(handle)))
        }
        do {
            try Data(bytes: buffer, count: Int(length)).write(to: URL(fileURLWithPath: path))
        } catch {
            throw .unwritable(path: path, reason: error.localizedDescription)
        }
    }
}
