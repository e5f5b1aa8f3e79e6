/// What the markers before a JPEG's first scan say beyond its size, and what in them breaks the
/// standard in ways that change no pixel: decoders read such files with a warning, which would hide
/// a warning of damage.
struct JPEGMarkers: Equatable {
    /// Whether it is stored in several scans.
    private(set) var isProgressive = false
    /// EXIF's orientation, 1…8; 1 is upright.
    private(set) var orientation = ExifOrientation.usual
    /// Bits of a sample; nil where no frame was found.
    private(set) var precision: Int?
    /// Bytes between segments, which belong to none.
    private(set) var junk: [Range<Int>] = []
    /// Bytes that have to be others, by their places.
    private(set) var corrections: [Int: UInt8] = [:]

    private var componentCount = 0
    /// The place of the byte by which Adobe's programs name the colours.
    private var adobePlace: Int?

    /// Whether the standard is broken, without harm.
    var isIrregular: Bool { !junk.isEmpty || !corrections.isEmpty }

    /// Looks through a file's bytes; what is damaged is passed over.
    init(_ data: [UInt8]) {
        var place = 2
        while let marker = Self.marker(data, from: place) {
            if marker.lowerBound > place { junk.append(place..<marker.lowerBound) }
            let (code, start) = (data[marker.upperBound - 1], marker.upperBound)
            // Markers without a segment.
            if code == 0x01 || (0xD0...0xD7).contains(code) {
                place = start
                continue
            }
            guard start + 2 <= data.count else { break }
            let length = Int(data[start]) << 8 | Int(data[start + 1])
            let end = start + length
            guard length >= 2, end <= data.count else { break }
            read(code, data, at: (start + 2)..<end)
            if code == 0xDA || code == 0xD9 { break }
            place = end
        }
        nameColors(data)
        if junk.contains(where: { Self.isSegment(data[$0]) }) { junk = [] }
    }

    /// A file's bytes as the standard has them, with the same pixels.
    func repaired(_ data: [UInt8]) -> [UInt8] {
        var data = data
        for (place, byte) in corrections { data[place] = byte }
        for range in junk.reversed() { data.removeSubrange(range) }
        return data
    }

    /// The next marker: from its first 0xFF to behind its code.
    private static func marker(_ data: [UInt8], from place: Int) -> Range<Int>? {
        var start = place
        while start + 1 < data.count {
            guard data[start] == 0xFF else {
                start += 1
                continue
            }
            var end = start + 1
            while end < data.count, data[end] == 0xFF { end += 1 }
            guard end < data.count else { return nil }
            if data[end] != 0 { return start..<(end + 1) }
            start = end + 1
        }
        return nil
    }

    /// Whether bytes between segments are one whose marker is damaged: its length fits. It is
    /// missing, and decoding has to say so.
    private static func isSegment(_ bytes: ArraySlice<UInt8>) -> Bool {
        let head = Array(bytes.prefix(4))
        return head.count == 4 && Int(head[2]) << 8 | Int(head[3]) == bytes.count - 2
    }

    private mutating func read(_ code: UInt8, _ data: [UInt8], at range: Range<Int>) {
        let segment = data[range]
        switch code {
        case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
            isProgressive = code & 3 == 2
            guard segment.count > 5 else { return }
            precision = Int(segment[range.lowerBound])
            componentCount = Int(segment[range.lowerBound + 5])
        case 0xE0 where segment.count >= 14 && segment.starts(with: "JFIF\0".utf8):
            // Versions 0.02 and 2.01 are read as 1.
            if segment[range.lowerBound + 5] != 1 { corrections[range.lowerBound + 5] = 1 }
        case 0xE1:
            // Other programs keep other things in this segment.
            if segment.starts(with: "Exif\0\0".utf8),
                let found = ExifOrientation.orientation(segment)
            {
                orientation = found
            }
        case 0xEE where segment.count >= 12 && segment.starts(with: "Adobe".utf8):
            adobePlace = range.lowerBound + 11
        case 0xDA where !isProgressive && segment.count >= 4:
            // A sequential scan has all coefficients; some cameras say otherwise, and mean it.
            for (place, byte) in zip((range.upperBound - 3)..., [0, 63, 0] as [UInt8])
            where data[place] != byte {
                corrections[place] = byte
            }
        default: break
        }
    }

    /// Unknown colours are taken for YCbCr or, with four channels, for YCCK.
    private mutating func nameColors(_ data: [UInt8]) {
        guard let adobePlace else { return }
        let known: [UInt8] =
            switch componentCount {
            case 3: [1, 0]
            case 4: [2, 0]
            default: []
            }
        if let usual = known.first, !known.contains(data[adobePlace]) {
            corrections[adobePlace] = usual
        }
    }
}
