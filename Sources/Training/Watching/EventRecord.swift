import EventMessages
import Foundation
import SwiftProtobuf

/// A record of an event file: the length of a message, the message, and checksums of both, as
/// TensorFlow's `record_writer` frames them; numbers are little-endian.
enum EventRecord {
    /// The message framed.
    static func bytes(_ event: Tensorboard_Event) throws -> [UInt8] {
        let message: [UInt8] = try event.serializedBytes()
        let length = littleEndian(UInt64(message.count))
        return length + littleEndian(maskedChecksum(length)) + message
            + littleEndian(maskedChecksum(message))
    }

    /// A message of a file.
    struct Read: Equatable {
        let event: Tensorboard_Event
        /// Where its record ends, in bytes.
        let end: Int
    }

    /// The messages of a file, as far as it is whole: a run that was killed may leave half a record.
    static func read(_ data: Data) -> [Read] {
        let bytes = [UInt8](data)
        var events: [Read] = []
        var place = 0
        while let length = number(bytes, at: place, count: 8),
            number(bytes, at: place + 8, count: 4)
                == UInt64(maskedChecksum(bytes[place..<(place + 8)])),
            length <= UInt64(bytes.count)
        {
            let first = place + 12
            let end = first + Int(length)
            guard let checksum = number(bytes, at: end, count: 4) else { break }
            let message = bytes[first..<end]
            guard checksum == UInt64(maskedChecksum(message)) else { break }
            place = end + 4
            do {
                events.append(
                    Read(event: try Tensorboard_Event(serializedBytes: Array(message)), end: place))
            } catch {
                break
            }
        }
        return events
    }

    /// CRC-32C turned by 15 bits and moved on: a checksum of bytes that hold checksums is weak.
    static func maskedChecksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        let checksum = ~bytes.reduce(~UInt32(0)) { sum, byte in
            table[Int((sum ^ UInt32(byte)) & 0xFF)] ^ (sum >> 8)
        }
        return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
    }

    /// Castagnoli's polynomial, its bits reversed (RFC 3720, B.4).
    private static let table: [UInt32] = (0..<256).map { index in
        var sum = UInt32(index)
        for _ in 0..<8 {
            let half: UInt32 = sum >> 1
            sum = sum & 1 == 1 ? half ^ 0x82F6_3B78 : half
        }
        return sum
    }

    private static func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    /// Nil where the bytes end before.
    private static func number(_ bytes: [UInt8], at place: Int, count: Int) -> UInt64? {
        guard place + count <= bytes.count else { return nil }
        return bytes[place..<(place + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
