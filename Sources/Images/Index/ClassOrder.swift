/// The classes in byte order of their names: a class's place is its number.
struct ClassOrder: Sendable {
    let names: [FileName]
    private let numbers: [FileName: UInt32]
    /// The classes as Unicode compares them: two spellings of é are the same.
    private let alike: [String: UInt32]

    /// - Parameter path: Names the data set in messages.
    init(_ names: Set<FileName>, path: String) throws(ImagesError) {
        let sorted = names.sorted()
        var (numbers, alike) = ([FileName: UInt32](), [String: UInt32]())
        for (number, name) in sorted.enumerated() {
            if let other = alike.updateValue(UInt32(number), forKey: name.text) {
                throw .damaged(
                    path: path,
                    what: "has two spellings of one class, \(sorted[Int(other)].spelling) and "
                        + "\(name.spelling) (\(name.text))",
                    remedy: "put the images into one folder, or rename one")
            }
            numbers[name] = UInt32(number)
        }
        (self.names, self.numbers, self.alike) = (sorted, numbers, alike)
    }

    /// The number of the class with this name, and whether its bytes are the same.
    func number(_ name: FileName) -> (number: UInt32, isExact: Bool)? {
        if let number = numbers[name] { return (number, true) }
        return alike[name.text].map { ($0, false) }
    }
}
