/// What the logits of a model stand for, in their order.
struct LogitNames: Sendable {
    /// A class: the name that its folder had, and what people call it.
    struct Name: Sendable {
        let name: String
        let title: String
    }

    private let names: [Name]

    /// The names of a checkpoint: numbers where it does not say.
    init(_ checkpoint: OpenedCheckpoint) {
        guard let classes = checkpoint.classes else {
            names = (0..<checkpoint.model.classes).map { Name(name: "\($0)", title: "class \($0)") }
            return
        }
        names = zip(classes, classes.titles).enumerated().map { place, known in
            Name(name: known.0.name.isEmpty ? "\(place)" : known.0.name, title: known.1)
        }
    }

    subscript(label: Int) -> Name { names[label] }
}
