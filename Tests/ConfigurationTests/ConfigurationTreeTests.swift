import Testing

@testable import Configuration

private struct Settings: Codable, Equatable {
    struct Inner: Codable, Equatable {
        var rate = 0.5
        var sizes = [1, 2]
        var mode = "fast"
    }
    var count = 3
    var isOn = true
    var inner = Inner()
}

private func tree() throws -> ConfigurationTree {
    try ConfigurationTree(defaults: Settings(), choices: ["inner.mode": ["fast", "exact"]])
}

private func message(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "no error"
    } catch {
        return "\(error)"
    }
}

@Test func laterWordsReplaceEarlierOnes() throws {
    var tree = try tree()
    try tree.overlay(yaml: "inner: {rate: 2, sizes: [4]}\ncount: 7", source: "f.yaml")
    try tree.set("count=8")
    try tree.set("inner.mode=exact")
    try tree.set("isOn=false")
    let settings = try tree.decode(Settings.self)
    var expected = Settings()
    (expected.count, expected.isOn) = (8, false)
    expected.inner = Settings.Inner(rate: 2, sizes: [4], mode: "exact")
    #expect(settings == expected)
    var again = try ConfigurationTree(defaults: Settings(), choices: [:])
    try again.overlay(yaml: tree.yaml(), source: "resolved")
    #expect(try again.decode(Settings.self) == expected)
}

@Test func errorsNameTheKeyAndTheNearest() throws {
    var tree = try tree()
    let unknown = message { try tree.set("inner.rat=1") }
    #expect(unknown.contains("inner.rat") && unknown.contains("inner.rate"))
    let file = message { try tree.overlay(yaml: "cuont: 1", source: "f.yaml") }
    #expect(file.contains("f.yaml") && file.contains("cuont") && file.contains("count"))
    #expect(message { try tree.set("count=x") }.contains("count"))
    #expect(message { try tree.set("count=1.5") }.contains("count"))
    #expect(message { try tree.set("isOn=3") }.contains("isOn"))
    #expect(message { try tree.set("inner=3") }.contains("inner"))
    #expect(message { try tree.set("inner.sizes=a") }.contains("inner.sizes"))
    let choice = message { try tree.set("inner.mode=slow") }
    #expect(choice.contains("fast") && choice.contains("exact"))
    #expect(message { try tree.set("count") }.contains("key"))
    #expect(message { try tree.overlay(yaml: "a: [", source: "f.yaml") }.contains("f.yaml"))
    // Nothing of a refused word stays.
    #expect(try tree.decode(Settings.self) == Settings())
}

@Test func theResolvedSettingsReadAsAPersonWritesThem() throws {
    #expect(
        try tree().yaml() == """
            count: 3
            isOn: true
            inner:
              rate: 0.5
              sizes: [1, 2]
              mode: fast

            """)
    #expect(
        try tree().json()
            == "{\"count\": 3, \"isOn\": true, \"inner\": {\"rate\": 0.5, \"sizes\": [1, 2], "
            + "\"mode\": \"fast\"}}")
}

/// A parser's error quotes the line, a whole number has an end, and YAML's words for nothing are no
/// text.
@Test func wordsThatMislead() throws {
    var tree = try tree()
    let nested = String(repeating: "[", count: 100_000)
    let error = message { try tree.overlay(yaml: nested, source: "f.yaml") }
    #expect(error.hasPrefix("f.yaml: is not YAML: ") && error.count < 400, "\(error.prefix(500))")
    let large = message { try tree.set("count=18446744073709551615") }
    #expect(large.contains("18446744073709551615, which is beyond 9223372036854775807"), "\(large)")
    for word in ["~", "null"] {
        #expect(message { try tree.set("inner.mode=\(word)") }.contains("must be "), "\(word)")
    }
    var free = try ConfigurationTree(defaults: Settings(), choices: [:])
    #expect(message { try free.set("inner.mode=~") }.contains("must be text (in quotes"))
    try free.set("inner.mode=\"null\"")
    #expect(try free.decode(Settings.self).inner.mode == "null")
    try free.set("inner.mode=")
    #expect(try free.decode(Settings.self).inner.mode == "")
}
