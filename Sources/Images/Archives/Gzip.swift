import CZlib

/// Small gzip-compressed files.
enum Gzip {
    /// More than this comes from an attack, not from a development kit or a photograph.
    static let largestSize = 256 << 20

    /// Whether bytes begin as gzip's do.
    static func isPacked(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

    /// What cannot be unpacked.
    struct Damage: Error {
        /// Why, after the file's name.
        let what: String
    }

    /// The content, of all members that are joined.
    static func unpacked(_ packed: [UInt8]) throws(Damage) -> [UInt8] {
        var stream = z_stream()
        // 15 bits of window; 16 more ask for gzip's frame.
        guard
            inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
                == Z_OK
        else { throw Damage(what: "cannot be unpacked: no memory") }
        defer { inflateEnd(&stream) }
        var (result, packed, chunk) = ([UInt8](), packed, [UInt8](repeating: 0, count: 1 << 16))
        let status = packed.withUnsafeMutableBufferPointer { input in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(clamping: input.count)
            return unpack(&stream, chunk: &chunk, into: &result)
        }
        guard result.count <= largestSize else {
            throw Damage(what: "holds more than \(largestSize >> 20) MiB")
        }
        guard status == Z_STREAM_END else {
            let reason = status == Z_BUF_ERROR ? "it is cut off" : "it is damaged"
            throw Damage(what: "cannot be unpacked: \(reason)")
        }
        return result
    }

    private static func unpack(
        _ stream: inout z_stream, chunk: inout [UInt8], into result: inout [UInt8]
    ) -> Int32 {
        while true {
            var (status, count) = (Z_OK, 0)
            chunk.withUnsafeMutableBufferPointer { output in
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                status = inflate(&stream, Z_NO_FLUSH)
                count = output.count - Int(stream.avail_out)
            }
            result += chunk.prefix(count)
            if result.count > largestSize { return status }
            if status == Z_STREAM_END {
                // Another member may follow; what is none of gzip's is padding.
                guard stream.avail_in > 1, stream.next_in[0] == 0x1F, stream.next_in[1] == 0x8B,
                    inflateReset(&stream) == Z_OK
                else { return status }
            } else if status != Z_OK {
                return status
            }
        }
    }
}
