/// What the markers before a JPEG's first scan say beyond its size.
struct JPEGMarkers: Equatable {
    /// Whether it is stored in several scans.
    private(set) var isProgressive = false
    /// EXIF's orientation, 1…8; 1 is upright.
    private(set) var orientation = 1

    /// Looks through a file's bytes; what is damaged is passed over.
    init(_ data: [UInt8]) {
        var place = 2
        while place + 4 <= data.count, data[place] == 0xFF {
            let marker = data[place + 1]
            if marker == 0xFF {
                place += 1
                continue
            }
            let length = Int(data[place + 2]) << 8 | Int(data[place + 3])
            if marker == 0xDA || length < 2 { return }
            if marker == 0xC2 { isProgressive = true }
            let end = min(data.count, place + 2 + length)
            if marker == 0xE1, let found = Self.orientation(data[(place + 4)..<max(place + 4, end)])
            {
                orientation = found
            }
            place += 2 + length
        }
    }

    /// The orientation that an APP1 segment gives: "Exif", two zeros, a TIFF head, then the first
    /// directory's entries of 12 bytes.
    private static func orientation(_ segment: ArraySlice<UInt8>) -> Int? {
        guard segment.starts(with: Array("Exif\0\0".utf8)) else { return nil }
        let tiff = Array(segment.dropFirst(6))
        guard tiff.count >= 8 else { return nil }
        let isLittle = tiff[0] == 0x49
        func number(_ place: Int, bytes count: Int) -> Int? {
            guard place >= 0, place + count <= tiff.count else { return nil }
            let bytes = tiff[place..<(place + count)]
            return isLittle
                ? bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
                : bytes.reduce(0) { $0 << 8 | Int($1) }
        }
        guard let directory = number(4, bytes: 4), let count = number(directory, bytes: 2) else {
            return nil
        }
        for entry in 0..<count {
            let place = directory + 2 + entry * 12
            guard let tag = number(place, bytes: 2), let value = number(place + 8, bytes: 2) else {
                return nil
            }
            if tag == 0x0112 { return (1...8).contains(value) ? value : nil }
        }
        return nil
    }
}
