import CTurboJPEG
import Foundation

/// An image in memory: 8-bit RGB, row by row.
public struct Pixels: Equatable, Sendable {
    /// In pixels.
    public let height: Int
    /// In pixels.
    public let width: Int
    /// `[height, width, 3]`.
    public var bytes: [UInt8]

    /// Takes bytes `[height, width, 3]`.
    public init(height: Int, width: Int, bytes: [UInt8]) {
        precondition(bytes.count == height * width * 3, "\(bytes.count) bytes")
        (self.height, self.width, self.bytes) = (height, width, bytes)
    }
}

/// Reads JPEG files; one per thread.
public final class JPEGDecoder {
    /// More pixels than this are taken for an attack or damage, not a photograph.
    static let largestPixelCount = 1 << 28

    private let handle: tjhandle?

    /// Readies a decoder.
    public init() { handle = tjInitDecompress() }

    deinit { if let handle { tjDestroy(handle) } }

    private func reason() -> String {
        String(cString: tjGetErrorStr2(handle)).split(separator: "\n").joined(separator: " ")
    }

    /// What the head of a file's bytes says, without decoding.
    func size(_ data: [UInt8], path: String) throws(ImagesError) -> (height: Int, width: Int) {
        if data.isEmpty { throw .unreadable(path: path, reason: "the file is empty") }
        var (width, height, subsampling, space) = (Int32(0), Int32(0), Int32(0), Int32(0))
        guard
            tjDecompressHeader3(
                handle, data, UInt(data.count), &width, &height, &subsampling, &space) == 0
        else { throw .unreadable(path: path, reason: reason()) }
        return (Int(height), Int(width))
    }

    /// Decodes a file's bytes; grey and YCCK become RGB, EXIF orientation is ignored.
    func decode(_ data: [UInt8], path: String) throws(ImagesError) -> Pixels {
        if data.isEmpty { throw .unreadable(path: path, reason: "the file is empty") }
        var (width, height, subsampling, space) = (Int32(0), Int32(0), Int32(0), Int32(0))
        let length = UInt(data.count)
        guard
            tjDecompressHeader3(
                handle, data, length, &width, &height, &subsampling, &space) == 0
        else { throw .unreadable(path: path, reason: reason()) }
        let count = Int(width) * Int(height)
        guard count > 0, count <= Self.largestPixelCount else {
            throw .unreadable(path: path, reason: "\(width)×\(height) pixels are too many")
        }
        let isInk = space == TJCS_CMYK.rawValue || space == TJCS_YCCK.rawValue
        let format = isInk ? TJPF_CMYK : TJPF_RGB
        var bytes = [UInt8](repeating: 0, count: count * (isInk ? 4 : 3))
        // A warning means damaged data: it is an error here, as nothing is silently replaced.
        guard
            tjDecompress2(
                handle, data, length, &bytes, width, 0, height, Int32(format.rawValue),
                TJFLAG_ACCURATEDCT) == 0
        else { throw .unreadable(path: path, reason: reason()) }
        if isInk { bytes = Self.fromInk(bytes) }
        return Pixels(height: Int(height), width: Int(width), bytes: bytes)
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
