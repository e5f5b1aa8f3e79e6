/// How a camera says that it was held: the tag 0x0112 of EXIF.
enum ExifOrientation {
    /// Upright.
    static let usual = 1

    private static let tag = 0x0112
    /// A TIFF number of 4 bytes; other kinds of this tag have 2.
    private static let long = 4

    /// The orientation 1…8 that EXIF data gives: perhaps "Exif" and two zeros, a TIFF head, then the
    /// first directory's entries of 12 bytes. Nil where there is none.
    static func orientation(_ data: ArraySlice<UInt8>) -> Int? {
        let mark = Array("Exif\0\0".utf8)
        let tiff = Array(data.starts(with: mark) ? data.dropFirst(mark.count) : data)
        guard tiff.count >= 8 else { return nil }
        let isLittle = tiff[0] == UInt8(ascii: "I")
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
            guard let name = number(place, bytes: 2), let kind = number(place + 2, bytes: 2),
                let value = number(place + 8, bytes: kind == long ? 4 : 2)
            else { return nil }
            if name == tag { return (1...8).contains(value) ? value : nil }
        }
        return nil
    }
}

extension Pixels {
    /// The picture upright, of which a camera says the orientation 1…8.
    func upright(_ orientation: Int) -> Pixels {
        guard (2...8).contains(orientation) else { return self }
        let isTurned = orientation >= 5
        let (rows, columns) = isTurned ? (width, height) : (height, width)
        let (lastRow, lastColumn) = (height - 1, width - 1)
        let source = bytes
        let turned = [UInt8](unsafeUninitializedCapacity: source.count) { result, count in
            for y in 0..<rows {
                for x in 0..<columns {
                    let (row, column) =
                        switch orientation {
                        case 2: (y, lastColumn - x)
                        case 3: (lastRow - y, lastColumn - x)
                        case 4: (lastRow - y, x)
                        case 5: (x, y)
                        case 6: (lastRow - x, y)
                        case 7: (lastRow - x, lastColumn - y)
                        default: (x, lastColumn - y)
                        }
                    let (from, to) = ((row * width + column) * 3, (y * columns + x) * 3)
                    for channel in 0..<3 { result[to + channel] = source[from + channel] }
                }
            }
            count = source.count
        }
        return Pixels(height: rows, width: columns, bytes: turned)
    }
}
