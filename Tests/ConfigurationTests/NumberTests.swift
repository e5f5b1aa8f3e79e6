import Testing

@testable import Configuration

private struct Numbers: Codable, Equatable {
    var count = 3
    var rate = 0.5
    var sizes = [1, 2]
    var rates = [0.5]
    var name = "a"
}

/// What a form of a number is, whichever version of YAML it was meant in; nil: an error.
private let forms: [(text: String, count: Int?, rate: Double?)] = [
    ("7", 7, 7), ("010", 10, 10), ("-010", -10, -10), ("+5", 5, 5), ("00", 0, 0), ("08", 8, 8),
    ("0x10", nil, nil), ("0o10", nil, nil), ("0b11", nil, nil), ("1_000", nil, nil),
    ("1:30", nil, nil), ("1.0", nil, 1), ("010.5", nil, 10.5), ("1e3", nil, 1000),
    ("1E-2", nil, 0.01), (".5", nil, 0.5), ("5.", nil, 5), ("0x1p3", nil, nil), ("1e400", nil, nil),
    (".inf", nil, nil), (".nan", nil, nil), ("inf", nil, nil), ("nan", nil, nil), ("~", nil, nil),
    ("yes", nil, nil), ("1,5", nil, nil), ("\"7\"", nil, nil),
]

@Test(arguments: forms) func aNumberIsDecimalOrAnError(
    text: String, count: Int?, rate: Double?
) throws {
    func read<Value>(_ yaml: String, _ path: KeyPath<Numbers, Value>) throws -> Value? {
        var (file, option) = (
            try ConfigurationTree(defaults: Numbers()), try ConfigurationTree(defaults: Numbers())
        )
        do {
            try file.overlay(yaml: yaml.replacing("=", with: ": "), source: "f.yaml")
            try option.set(yaml)
        } catch {
            return nil
        }
        let numbers = try file.decode(Numbers.self)
        #expect(try option.decode(Numbers.self) == numbers)
        // What is written down, and kept in checkpoints, reads the same.
        for written in [try file.yaml(), file.json()] {
            var again = try ConfigurationTree(defaults: Numbers())
            try again.overlay(yaml: written, source: "again")
            #expect(try again.decode(Numbers.self) == numbers, "\(written)")
        }
        return numbers[keyPath: path]
    }
    #expect(try read("count=\(text)", \.count) == count)
    #expect(try read("rate=\(text)", \.rate) == rate)
    // In a list a comma stands between two.
    if !text.contains(",") {
        #expect(try read("sizes=[\(text), 4]", \.sizes) == count.map { [$0, 4] })
        #expect(try read("rates=[\(text)]", \.rates) == rate.map { [$0] })
    }
}

@Test func textThatLooksLikeANumberStaysAsItIs() throws {
    var tree = try ConfigurationTree(defaults: Numbers())
    try tree.set("name=010")
    #expect(try tree.decode(Numbers.self).name == "010")
}

@Test func aByteOrderMarkIsNoPartOfTheText() throws {
    var tree = try ConfigurationTree(defaults: Numbers())
    try tree.overlay(yaml: "\u{FEFF}count: 7\r\nrate: 2\r\n", source: "f.yaml")
    let numbers = try tree.decode(Numbers.self)
    #expect(numbers.count == 7 && numbers.rate == 2)
}
