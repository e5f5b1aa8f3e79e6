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

    /// What TurboJPEG reads from the head of a file's bytes.
    private struct Head {
        var height = 0
        var width = 0
        var space: UInt32 = 0
        /// Whether the channels are sampled in a way that TurboJPEG has no name for.
        var isUnnamedSampling = false
    }

    private func size(_ data: [UInt8], path: String) throws(ImagesError) -> Head {
        var (width, height, subsampling, space) = (Int32(0), Int32(0), Int32(0), Int32(0))
        let status = tjDecompressHeader3(
            handle, data, UInt(data.count), &width, &height, &subsampling, &space)
        // Everything else was read then, and the sampling matters to planes of YUV alone.
        let isUnnamed = status != 0 && space >= 0 && width > 0 && reason().contains("subsampling")
        guard status == 0 || isUnnamed else { throw failure(path) }
        try Pixels.requireFit(height: Int(height), width: Int(width), path: path)
        return Head(
            height: Int(height), width: Int(width), space: UInt32(space),
            isUnnamedSampling: isUnnamed)
    }

    private static func isInk(_ space: UInt32) -> Bool {
        space == TJCS_CMYK.rawValue || space == TJCS_YCCK.rawValue
    }

    /// What the head of a file's bytes says, without decoding.
    func head(_ data: [UInt8], path: String) throws(ImagesError) -> ImageHead {
        let markers = JPEGMarkers(data)
        try Self.requireBytes(markers, path: path)
        // As the decoder will see it: a warning of the head is one of the whole image.
        let head = try size(markers.isIrregular ? markers.repaired(data) : data, path: path)
        // Rare, and only decoding tells whether the decoder can do it.
        if head.isUnnamedSampling { _ = try decode(data, path: path) }
        var traits: ImageTraits = []
        if Self.isInk(head.space) { traits.insert(.ink) }
        if head.space == TJCS_GRAY.rawValue { traits.insert(.grey) }
        if markers.isProgressive { traits.insert(.progressive) }
        if markers.orientation != ExifOrientation.usual { traits.insert(.rotated) }
        if markers.isIrregular { traits.insert(.irregular) }
        return ImageHead(format: .jpeg, height: head.height, width: head.width, traits: traits)
    }

    private static func requireBytes(_ markers: JPEGMarkers, path: String) throws(ImagesError) {
        guard let precision = markers.precision, precision != 8 else { return }
        throw .unreadable(
            path: path, reason: "JPEG with \(precision) bits a channel (convert it to one with 8)")
    }

    /// Decodes a file's bytes as they are stored; grey and YCCK become RGB.
    func decode(_ data: [UInt8], path: String) throws(ImagesError) -> Pixels {
        do {
            return try strictlyDecode(data, path: path)
        } catch {
            let markers = JPEGMarkers(data)
            try Self.requireBytes(markers, path: path)
            guard markers.isIrregular else { throw error }
            return try strictlyDecode(markers.repaired(data), path: path)
        }
    }

    /// A warning means damaged data: it is an error here, as nothing is silently replaced. That
    /// goes for bytes left over behind a scan too: where one bit of it is another, the decoder
    /// needs fewer or more of them than there are.
    private func strictlyDecode(_ data: [UInt8], path: String) throws(ImagesError) -> Pixels {
        let head = try size(data, path: path)
        let (height, width) = (head.height, head.width)
        let isInk = Self.isInk(head.space)
        let format = isInk ? TJPF_CMYK : TJPF_RGB
        var bytes = [UInt8](repeating: 0, count: height * width * (isInk ? 4 : 3))
        let status = tjDecompress2(
            handle, data, UInt(data.count), &bytes, Int32(width), 0, Int32(height),
            Int32(format.rawValue), TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS)
        guard status == 0 else { throw failure(path) }
        if isInk { bytes = Self.fromInk(bytes) }
        return Pixels(height: height, width: width, bytes: bytes)
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
