/// The rows of a text of values with delimiters, as RFC 4180 has them: a value may stand in quotation
/// marks, and then hold delimiters, line ends and doubled quotation marks. Lines may end in any of
/// the usual ways; empty ones are passed over. What a strict reader would have to guess is an error.
struct DelimitedText {
    /// A row and the line that it begins in, counted from 1.
    struct Row: Equatable {
        let line: Int
        let values: [[UInt8]]
    }

    /// Why a text cannot be read.
    struct Damage: Error, Equatable {
        let line: Int
        let what: String
    }

    private let bytes: [UInt8]
    private let delimiter: UInt8
    private var place = 0
    private var line = 1

    private static let quote = UInt8(ascii: "\"")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    init(_ bytes: [UInt8], delimiter: UInt8) {
        (self.bytes, self.delimiter) = (bytes, delimiter)
    }

    /// The next row, or nil after the last.
    mutating func next() throws(Damage) -> Row? {
        while place < bytes.count {
            let start = line
            var values = [try value()]
            while place < bytes.count, bytes[place] == delimiter {
                place += 1
                values.append(try value())
            }
            endLine()
            if values.count > 1 || !values[0].isEmpty { return Row(line: start, values: values) }
        }
        return nil
    }

    /// A value, up to the delimiter or line end behind it.
    private mutating func value() throws(Damage) -> [UInt8] {
        guard place < bytes.count, bytes[place] == Self.quote else {
            let start = place
            while place < bytes.count, !isEnd(bytes[place]) {
                if bytes[place] == Self.quote {
                    throw Damage(line: line, what: "has a quotation mark within a value")
                }
                place += 1
            }
            return Array(bytes[start..<place])
        }
        return try quotedValue()
    }

    private mutating func quotedValue() throws(Damage) -> [UInt8] {
        let start = line
        var value: [UInt8] = []
        place += 1
        while true {
            guard place < bytes.count else {
                throw Damage(line: start, what: "has a quotation mark that is not closed")
            }
            let byte = bytes[place]
            place += 1
            if byte != Self.quote {
                if byte == Self.lineFeed { line += 1 }
                value.append(byte)
            } else if place < bytes.count, bytes[place] == Self.quote {
                value.append(byte)
                place += 1
            } else if place == bytes.count || isEnd(bytes[place]) {
                return value
            } else {
                throw Damage(line: line, what: "has text behind a closed quotation mark")
            }
        }
    }

    private func isEnd(_ byte: UInt8) -> Bool {
        byte == delimiter || byte == Self.lineFeed || byte == Self.carriageReturn
    }

    private mutating func endLine() {
        guard place < bytes.count else { return }
        if bytes[place] == Self.carriageReturn { place += 1 }
        if place < bytes.count, bytes[place] == Self.lineFeed { place += 1 }
        line += 1
    }
}
