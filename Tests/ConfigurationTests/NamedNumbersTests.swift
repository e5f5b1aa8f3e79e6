import Testing

@testable import Configuration

private struct Settings: Codable, Equatable {
    var weights = "none"
    var area = [0.5, 1]
}

/// A setting that is a word or a group of numbers by names of the user's.
private struct Named: Codable, Equatable {
    var weights: [String: Double]
}

private func tree() throws -> ConfigurationTree {
    try ConfigurationTree(
        defaults: Settings(), choices: ["weights": ["none", "auto", "{name: number}"]])
}

@Test func numbersByNameJoinAndAWordReplacesThem() throws {
    var tree = try tree()
    try tree.overlay(yaml: "weights: {cat: 2, 07: .5}", source: "f.yaml")
    try tree.set("weights.cat=3")
    try tree.set("weights={big dog: 1}")
    #expect(
        try tree.decode(Named.self).weights == ["cat": 3, "07": 0.5, "big dog": 1])
    // What is written down reads the same: a name that is a number stays a name.
    #expect(tree.json().contains("\"07\": 0.5"))
    for text in [try tree.yaml(), tree.json()] {
        var again = try ConfigurationTree(
            defaults: Settings(), choices: ["weights": ["none", "auto", "{name: number}"]])
        try again.overlay(yaml: text, source: "again")
        #expect(try again.decode(Named.self) == tree.decode(Named.self))
    }
    try tree.set("weights=auto")
    #expect(try tree.decode(Settings.self).weights == "auto")
}

@Test(arguments: [
    ("weights=some", "must be none, auto, {name: number}, not \"some\""),
    ("weights={name: number}", "weights.name must be a number, not \"number\""),
    ("weights={}", "must be none, auto, {name: number}"), ("weights=[1]", "not a list"),
    ("weights={a: {b: 1}}", "weights.a must be a number, not a group of keys"),
])
func whatIsNeitherIsNamed(assignment: String, words: String) throws {
    var tree = try tree()
    do {
        try tree.set(assignment)
        Issue.record("\(assignment) is taken")
    } catch {
        #expect("\(error)".contains(words), "\(error)")
    }
}

@Test func namesThatComeAndGoAreChanges() throws {
    var (old, new) = (try tree(), try tree())
    #expect(new.changes(since: old).isEmpty)
    try old.set("weights={a: 1}")
    #expect(new.changes(since: old).map(\.key) == ["weights"])
    try new.set("weights={a: 2}")
    let change = new.changes(since: old)
    #expect(change.map(\.key) == ["weights.a"])
    #expect(change.map(\.old) == ["1"] && change.map(\.new) == ["2"])
    try new.set("weights.b=1")
    #expect(new.changes(since: old).map(\.key) == ["weights"])
}

/// A list of numbers stays one when whole ones were given last.
@Test func aListOfNumbersTakesWholeOnesAndFractions() throws {
    var tree = try tree()
    try tree.set("area=[1, 1]")
    try tree.set("area=[0.25, 1]")
    #expect(try tree.decode(Settings.self).area == [0.25, 1])
}
