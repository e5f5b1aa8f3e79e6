/// One image and its class.
public struct ImageEntry: Equatable, Sendable {
    /// The path in ImageNet's layout, for example `train/n01440764/x.JPEG`.
    public let name: String
    /// The label that the model predicts, counted from 0.
    public let label: Int32
}

/// The images of one subset, in byte order of class and file name; an image's place here is its
/// identifier.
public struct ImageSet: Sendable {
    let index: ImageIndex
    private let storage: ImageStorage
    /// The images' places in the index.
    let rows: [UInt32]
    /// The label of each of the index's classes.
    private let labels: [Int32]

    init(index: ImageIndex, storage: ImageStorage, rows: [UInt32], labels: [Int32]) {
        (self.index, self.storage, self.rows, self.labels) = (index, storage, rows, labels)
    }

    /// The images, as a collection.
    public var entries: Entries { Entries(images: self) }

    /// The images at the given places, in that order.
    public func picking(_ places: some Sequence<Int>) -> ImageSet {
        ImageSet(index: index, storage: storage, rows: places.map { rows[$0] }, labels: labels)
    }

    /// The same images, a class's label given by its place in the data set.
    public func labelled(_ labels: [Int32]) -> ImageSet {
        precondition(labels.count == index.header.classes.count, "\(labels.count) labels")
        return ImageSet(index: index, storage: storage, rows: rows, labels: labels)
    }

    /// Changes with the images, their places and labels.
    public var fingerprint: String {
        "\(index.fingerprint(stamp: 0, verifies: false)) \(rows.count)"
    }

    /// The image's file, for messages; in an archive, with the place there.
    public func path(_ place: Int) -> String { storage.path(Int(rows[place])) }

    /// Makes `bytes` the image's file.
    func read(_ place: Int, into bytes: inout [UInt8]) throws(ImagesError) {
        try storage.read(Int(rows[place]), into: &bytes)
    }

    /// The images of a set, read from the index as they are asked for.
    public struct Entries: RandomAccessCollection, Sendable {
        fileprivate let images: ImageSet
        public var startIndex: Int { 0 }
        public var endIndex: Int { images.rows.count }
        public subscript(place: Int) -> ImageEntry {
            ImageEntry(
                name: images.index.name(Int(images.rows[place])),
                label: images.label(place))
        }
    }

    /// The label that the model should predict for the image at `place`.
    public func label(_ place: Int) -> Int32 {
        labels[Int(index[Int(rows[place])].classNumber)]
    }
}
