/// Which images a run was trained and scored on: how many, and digests of their names in order.
public struct SeenImages: Equatable, Sendable {
    /// Images to train on.
    public var training: ListDigest
    /// Images that it was scored on.
    public var development: ListDigest

    /// Names both.
    public init(training: ListDigest, development: ListDigest) {
        (self.training, self.development) = (training, development)
    }

    /// Reads the root attributes; nil where one is not there.
    init?(_ file: HDF5File) throws(CheckpointError) {
        guard let training = try ListDigest(file, "training"),
            let development = try ListDigest(file, "development")
        else { return nil }
        self.init(training: training, development: development)
    }

    func write(to file: HDF5File) throws(CheckpointError) {
        for (name, list) in [("training", training), ("development", development)] {
            try file.writeAttribute("\(name)Images", list.count)
            try file.writeAttribute("\(name)ImagesDigest", list.digest)
        }
    }
}

/// A list told apart from others by its length and a digest.
public struct ListDigest: Equatable, Sendable {
    /// The elements.
    public var count: Int
    /// FNV-1a of 64 bits, 16 hexadecimal digits.
    public var digest: String

    /// Names both.
    public init(count: Int, digest: String) { (self.count, self.digest) = (count, digest) }

    fileprivate init?(_ file: HDF5File, _ name: String) throws(CheckpointError) {
        guard let count = try file.integer("\(name)Images"),
            let digest = try file.text("\(name)ImagesDigest")
        else { return nil }
        self.init(count: count, digest: digest)
    }
}
