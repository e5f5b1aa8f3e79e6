import Foundation
import TestSupport
import Testing

@testable import Images

/// JPEGs of the world: what changes no pixel is read, by index and training alike; what may change
/// one is refused.
@Suite struct JPEGTests {
    private let photo: [UInt8]
    private let decoder = ImageDecoder()

    init() throws { photo = try fixtureBytes("chelsea.jpg") }

    private func place(of text: String) throws -> Int {
        let pattern = Array(text.utf8)
        return try #require((0..<photo.count).first { photo[$0...].starts(with: pattern) })
    }

    /// The place of the first marker with this code.
    private func place(of code: UInt8) throws -> Int {
        try #require((0..<photo.count).first { photo[$0] == 0xFF && photo[$0 + 1] == code })
    }

    private func changed(_ change: (inout [UInt8]) throws -> Void) rethrows -> [UInt8] {
        var bytes = photo
        try change(&bytes)
        return bytes
    }

    /// Phones that end a scan's spectrum at 0, JFIF of other versions, bytes between segments.
    private func irregular() throws -> [(name: String, bytes: [UInt8])] {
        let scan = try place(of: 0xDA)
        let header = Int(photo[scan + 2]) << 8 | Int(photo[scan + 3])
        let version = try place(of: "JFIF") + 5
        let (tables, frame) = (try place(of: 0xDB), try place(of: 0xC0))
        return [
            ("phone", changed { $0[scan + 2 + header - 2] = 0 }),
            ("JFIF 0.02", changed { $0.replaceSubrange(version..<(version + 2), with: [0, 2]) }),
            ("JFIF 2.01", changed { $0.replaceSubrange(version..<(version + 2), with: [2, 1]) }),
            ("junk before tables", changed { $0.insert(contentsOf: [1, 2, 3], at: tables) }),
            (
                "junk twice",
                changed {
                    $0.insert(contentsOf: [0, 0, 0xFF, 0, 7], at: frame)
                    $0.insert(contentsOf: [9], at: 2)
                }
            ),
        ]
    }

    @Test func whatChangesNoPixelIsRead() throws {
        let expected = try decoder.decode(photo, path: "")
        for (name, bytes) in try irregular() {
            #expect(try decoder.decode(bytes, path: name) == expected, "\(name)")
            let head = try decoder.head(bytes, path: name)
            #expect(head.traits == .irregular && head.width == 113, "\(name)")
        }
        #expect(try decoder.head(photo, path: "").traits.isEmpty)
    }

    /// What is read with a warning of the head must not hide one of the pixels.
    @Test func damageBehindAnIrregularHeadIsFound() throws {
        for (name, bytes) in try irregular() {
            #expect {
                _ = try decoder.decode(Array(bytes.dropLast(bytes.count / 3)), path: "a.JPEG")
            } throws: {
                "\($0)".contains("a.JPEG") && "\($0)".contains("remature end")
            }
            #expect(try decoder.decode(bytes, path: name).width == 113)
        }
    }

    /// A segment whose marker is damaged is missing, not junk.
    @Test func aSegmentWithADamagedMarkerIsNoJunk() throws {
        let tables = try place(of: 0xC4)
        #expect(throws: ImagesError.self) {
            _ = try decoder.decode(changed { $0[tables] = 0xFE }, path: "a.JPEG")
        }
    }

    /// A bit of a scan that makes the decoder need many more or fewer bytes than there are; a few
    /// cannot be seen without a checksum.
    @Test func flippedBitsOfAScanAreRefusedWhereTheyAreSeen() throws {
        let scan = try place(of: 0xDA)
        let header = Int(photo[scan + 2]) << 8 | Int(photo[scan + 3])
        var refused = 0
        for place in stride(from: scan + 2 + header, to: photo.count - 2, by: 3) {
            for bit in [0, 3, 6] {
                let bytes = changed { $0[place] ^= 1 << UInt8(bit) }
                do {
                    _ = try decoder.decode(bytes, path: "a.JPEG")
                } catch {
                    #expect("\(error)".contains("a.JPEG"))
                    refused += 1
                }
            }
        }
        // Of 3,018 the library warns at 503: 429 times of bytes left over, 74 times otherwise.
        #expect(refused > 300)
    }

    /// As the last bytes of a scan, they may be what a damaged part of it left over.
    @Test func bytesBehindAScanAreRefused() throws {
        let stray =
            Array(photo.dropLast(2)) + [UInt8](repeating: 0x12, count: 20)
            + Array(photo.suffix(2))
        #expect {
            _ = try decoder.decode(stray, path: "a.JPEG")
        } throws: {
            "\($0)".contains("a.JPEG") && "\($0)".contains("extraneous bytes")
        }
        // Behind the end mark is nothing of the image.
        #expect(
            try decoder.decode(photo + [1, 2, 3], path: "") == decoder.decode(photo, path: ""))
    }

    @Test func otherDepthsAreRefusedByIndexAndTraining() throws {
        let frame = try place(of: 0xC0)
        let bytes = changed { $0[frame + 4] = 12 }
        for read in [
            { _ = try decoder.head(bytes, path: "a.JPEG") },
            { _ = try decoder.decode(bytes, path: "a.JPEG") },
        ] {
            #expect {
                try read()
            } throws: {
                "\($0)".contains("12 bits a channel")
            }
        }
    }

    /// As four in a frame of 4×4, whose blocks no decoder takes together.
    @Test func impossibleSamplingsAreRefusedByIndexAndTraining() throws {
        let frame = try place(of: 0xC0)
        let bytes = changed { $0[frame + 11] = 0x44 }
        #expect(throws: ImagesError.self) { _ = try decoder.head(bytes, path: "a.JPEG") }
        #expect(throws: ImagesError.self) { _ = try decoder.decode(bytes, path: "a.JPEG") }
    }

    /// As a few of ImageNet-21k are.
    @Test(arguments: ["chelsea.jpg", "grey.png"]) func packedImagesAreRead(name: String) throws {
        let plain = try fixtureBytes(name)
        let packed = Archives.gzip(plain)
        #expect(try decoder.decode(packed, path: "") == decoder.decode(plain, path: ""))
        let head = try decoder.head(packed, path: "")
        #expect(head.traits.contains(.packed) && head.width == (name == "grey.png" ? 40 : 113))
        for bad in [Array(packed.dropLast(30)), Archives.gzip(Array("text".utf8))] {
            #expect {
                _ = try decoder.head(bad, path: "a.JPEG")
            } throws: {
                "\($0)".contains("a.JPEG") && "\($0)".contains("compressed with gzip")
            }
        }
    }

    static let foreign: [(head: [UInt8], words: String)] = [
        (Array("<!DOCTYPE html><html>".utf8), "an HTML page"),
        (Array("\n <HTML><body>404".utf8), "an HTML page"),
        (Array("version https://git-lfs.github.com/spec/v1\noid".utf8), "a Git LFS pointer"),
        (Array("GIF89a".utf8), "a GIF picture"),
        ([0, 0, 0, 24] + Array("ftypheic".utf8), "a HEIC picture"),
        ([0, 0, 0, 28] + Array("ftypavif".utf8), "an AVIF picture"),
        (Array("PK".utf8) + [3, 4, 20, 0], "a zip archive"),
        (Array("II*\0".utf8), "a TIFF picture"),
        (Array("BM".utf8) + [9, 9, 0, 0, 0, 0, 0, 0], "a BMP picture"),
        ([0xFF, 0x0A, 1], "a JPEG XL picture"),
        (Array("{\"error\": 1}".utf8), "text"),
        ([UInt8](repeating: 0, count: 100), "all zeros"),
        ([], "empty"),
        ([7, 8, 9, 200], "it starts with 7 8 9 c8"),
    ]

    @Test(arguments: foreign.indices) func whatIsNoPictureIsNamed(number: Int) throws {
        let (bytes, words) = Self.foreign[number]
        for read in [
            { _ = try decoder.head(bytes, path: "a.JPEG") },
            { _ = try decoder.decode(bytes, path: "a.JPEG") },
        ] {
            #expect {
                try read()
            } throws: {
                "\($0)".hasPrefix("a.JPEG: not a readable image: it is ")
                    && "\($0)".contains(words)
            }
        }
    }
}
