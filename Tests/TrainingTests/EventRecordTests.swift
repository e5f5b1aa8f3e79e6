import EventMessages
import Foundation
import Testing

@testable import Training

/// The frame around each message of an event file.
@Suite struct EventRecordTests {
    /// RFC 3720 has the checksum of 32 zeros in B.4: aa 36 91 8a.
    @Test func checksumIsCastagnolisMasked() {
        let masked = EventRecord.maskedChecksum([UInt8](repeating: 0, count: 32))
        let back = masked &- 0xA282_EAD8
        #expect(back >> 17 | back << 15 == 0x8A91_36AA)
    }

    /// The first bytes of every file that TensorFlow and PyTorch write.
    @Test func theVersionRecordBeginsAsEverywhere() throws {
        let event = Tensorboard_Event.with { ($0.wallTime, $0.fileVersion) = (1, "brain.Event:2") }
        let bytes = try EventRecord.bytes(event)
        let head: [UInt8] = [24, 0, 0, 0, 0, 0, 0, 0, 0xA3, 0x7F, 0x4B, 0x22, 0x09]
        #expect(Array(bytes.prefix(13)) == head)
        #expect(bytes.count == 8 + 4 + 24 + 4)
        #expect(EventRecord.read(Data(bytes)) == [EventRecord.Read(event: event, end: bytes.count)])
    }

    @Test func aFileIsReadAsFarAsItIsWhole() throws {
        let events = (1...3).map { number in
            Tensorboard_Event.with {
                $0.step = Int64(number)
                $0.summary = .with { $0.value = [.with { ($0.tag, $0.simpleValue) = ("a", 0.5) }] }
            }
        }
        let records = try events.map(EventRecord.bytes)
        let whole = Data(records.joined())
        #expect(EventRecord.read(whole).map(\.event) == events)
        #expect(EventRecord.read(whole.dropLast()).map(\.event) == Array(events.prefix(2)))
        for place in [2, 9, 14, records[0].count - 1] {
            var damaged = whole
            damaged[records[0].count + place] ^= 1
            #expect(
                EventRecord.read(damaged).map(\.event) == Array(events.prefix(1)), "byte \(place)")
        }
    }
}
