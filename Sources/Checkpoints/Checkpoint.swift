import Files
import Foundation

/// What a checkpoint says about itself: its root attributes.
public struct CheckpointHeader: Equatable, Sendable {
    /// The resolved configuration, JSON.
    public var config: String
    /// The family of its model; nil in files of before there were several.
    public var family: String?
    /// The stage in which it was written.
    public var stage: String
    /// Steps done in that stage.
    public var step: Int
    /// Whole epochs done in that stage.
    public var epoch: Int
    /// Images seen in that stage.
    public var samples: Int
    /// The run's seed.
    public var seed: Int
    /// Ranks of the run.
    public var worldSize: Int
    /// The program's version; empty where another program wrote the file.
    public var program: String
    /// Top-1 accuracy on the development images, where the checkpoint was scored.
    public var developmentAccuracy: Double?
    /// What the logits stand for, in their order; nil in files of before there were names.
    public var classes: [KnownClass]?
    /// Images of the epoch that was begun which were seen; nil in files of before.
    public var epochSamples: Int?
    /// The images that it was trained on; nil in files of before.
    public var images: SeenImages?
    /// What it says of the moving average of the weights.
    public var average = Average()
    /// The weights of the logits' classes in the cross entropy of its stage; nil where all are 1.
    public var classWeights: [Double]?

    /// Names all attributes.
    public init(
        config: String, family: String? = nil, stage: String, step: Int, epoch: Int, samples: Int,
        seed: Int, worldSize: Int, program: String, developmentAccuracy: Double? = nil,
        classes: [KnownClass]? = nil, epochSamples: Int? = nil, images: SeenImages? = nil
    ) {
        self.family = family
        (self.config, self.stage, self.step, self.epoch) = (config, stage, step, epoch)
        (self.samples, self.seed, self.worldSize) = (samples, seed, worldSize)
        (self.program, self.developmentAccuracy) = (program, developmentAccuracy)
        (self.classes, self.epochSamples, self.images) = (classes, epochSamples, images)
    }
}

/// An array that goes into a checkpoint.
public struct CheckpointArray {
    /// The dataset's path.
    public let path: String
    /// The array's dimensions, row-major.
    public let shape: [Int]
    /// The array's numbers.
    public let values: UnsafeBufferPointer<Float>

    /// Names numbers that stay in place while the checkpoint is written.
    public init(_ path: String, shape: [Int], values: UnsafeBufferPointer<Float>) {
        (self.path, self.shape, self.values) = (path, shape, values)
    }
}

/// A checkpoint on disk: HDF5, format version 1, a checksum with each dataset.
public struct Checkpoint {
    static let format = "saccader-checkpoint"
    static let version = 1

    /// The file.
    public let file: HDF5File
    /// The file's root attributes.
    public let header: CheckpointHeader
    /// Whether it was sealed once and is so no more: another program has opened it for writing,
    /// changed or not.
    public let hasLostSeal: Bool
    /// Whether arrays that do not match their checksums are taken from such a file.
    private let acceptsEdited: Bool

    /// Opens a checkpoint, after a look at its seal, if it has one.
    ///
    /// - Parameters:
    ///   - checksSeal: False where another rank has just done so.
    ///   - acceptsEdited: Whether the user has said that arrays were edited.
    public init(
        reading path: String, checksSeal: Bool = true, acceptsEdited: Bool = false
    ) throws(CheckpointError) {
        let unsealed = checksSeal ? try Seal.check(path) : nil
        self.acceptsEdited = acceptsEdited
        file = try HDF5File.open(path)
        guard try file.text("format") == Self.format else {
            throw .damaged(path: path, what: "is HDF5 but no checkpoint (attribute format)")
        }
        // HDF5 cuts off what follows its data as soon as it opens a file for writing.
        let sealed = try file.integer(Self.sealedName)
        hasLostSeal = sealed != nil && (unsealed != nil || !checksSeal && acceptsEdited)
        let version = try file.integer("version") ?? 0
        guard version == Self.version else {
            throw .damaged(
                path: path,
                what: "has format version \(version), this program reads \(Self.version)")
        }
        func need<Value>(_ name: String, _ value: Value?) throws(CheckpointError) -> Value {
            guard let value else {
                throw .damaged(path: path, what: "has no attribute \(name)")
            }
            return value
        }
        var classes: [KnownClass]?
        if let json = try file.text("classes") {
            classes = try KnownClass.list(json: json, path: path)
        }
        var header = CheckpointHeader(
            config: try need("config", file.text("config")),
            family: try file.text("family"),
            stage: try need("stage", file.text("stage")),
            step: try need("step", file.integer("step")), epoch: try file.integer("epoch") ?? 0,
            samples: try file.integer("samples") ?? 0, seed: try file.integer("seed") ?? 0,
            worldSize: try file.integer("worldSize") ?? 1,
            program: try file.text("program") ?? "",
            developmentAccuracy: try file.number("developmentAccuracy"), classes: classes,
            epochSamples: try file.integer("epochSamples"), images: try SeenImages(file))
        header.average = try CheckpointHeader.Average(file)
        header.classWeights = try Self.classWeights(file)
        self.header = header
    }

    /// The name of the attribute that holds the number of bytes before the seal.
    static let sealedName = "sealedByteCount"

    /// The name of the attribute that holds a dataset's checksum.
    static let checksumName = "fnv1a64"

    /// The numbers of the dataset `name`, checked against its checksum where it has one.
    ///
    /// - Parameter shape: What the reader expects.
    public func floats(_ name: String, shape: [Int]) throws(CheckpointError) -> [Float] {
        let found = try file.shape(of: name)
        guard found == shape else {
            throw .misfit(
                path: file.path,
                what: "\(name) has shape \(found), the configuration asks for \(shape)")
        }
        let numbers = try file.floats(name)
        let stored = try file.text(Self.checksumName, of: name)
        if let stored, numbers.withUnsafeBufferPointer(Checksum.text) != stored {
            if !hasLostSeal {
                throw .damaged(path: file.path, what: "\(name) does not match its checksum")
            }
            if !acceptsEdited { throw .edited(path: file.path, array: name) }
        }
        return numbers
    }

    /// The name of the attribute that holds the classes' weights: a JSON list.
    private static let classWeightsName = "classWeights"

    private static func classWeights(_ file: HDF5File) throws(CheckpointError) -> [Double]? {
        guard let text = try file.text(classWeightsName) else { return nil }
        do { return try JSONDecoder().decode([Double].self, from: Data(text.utf8)) } catch {
            throw .damaged(
                path: file.path, what: "attribute \(classWeightsName) is no JSON list of numbers")
        }
    }

    /// The groups whose datasets carry checksums.
    private static let checkedGroups = ["/model", "/optimizer", "/ema"]

    /// Reads every dataset of the model, the optimizer and the average and checks it.
    public func verify() throws(CheckpointError) {
        for group in Self.checkedGroups {
            for name in file.datasets(under: group) {
                let path = "\(group)/\(name)"
                _ = try floats(path, shape: file.shape(of: path))
            }
        }
    }

    /// What to tell of a file whose arrays have been verified; nil where it is as it was written.
    public var warning: String? {
        guard hasLostSeal else { return nil }
        return "\(file.path): another program has opened it for writing, and its seal is gone; "
            + (acceptsEdited
                ? "taken as it is (--accept-edited)" : "its arrays' checksums hold: taken")
    }

    /// How many of these datasets carry a checksum.
    public func checksummedCount() throws(CheckpointError) -> Int {
        var count = 0
        for group in Self.checkedGroups {
            for name in file.datasets(under: group)
            where try file.text(Self.checksumName, of: "\(group)/\(name)") != nil {
                count += 1
            }
        }
        return count
    }

    /// A checkpoint as the bytes of its file, sealed; what `arrays` point to may change afterwards.
    ///
    /// - Parameter path: Where it is going to be, for errors.
    public static func image(
        _ header: CheckpointHeader, arrays: [CheckpointArray], for path: String
    ) throws(CheckpointError) -> FileImage {
        let byteCount = arrays.reduce(0) { $0 + 4 * $1.values.count }
        let file = try HDF5File.create(for: path, expecting: byteCount)
        try file.writeAttribute("format", format)
        try file.writeAttribute("version", version)
        try file.writeAttribute("config", header.config)
        if let family = header.family { try file.writeAttribute("family", family) }
        try file.writeAttribute("stage", header.stage)
        try file.writeAttribute("step", header.step)
        try file.writeAttribute("epoch", header.epoch)
        try file.writeAttribute("samples", header.samples)
        try file.writeAttribute("seed", header.seed)
        try file.writeAttribute("worldSize", header.worldSize)
        try file.writeAttribute("program", header.program)
        if let accuracy = header.developmentAccuracy {
            try file.writeAttribute("developmentAccuracy", accuracy)
        }
        if let count = header.epochSamples { try file.writeAttribute("epochSamples", count) }
        try header.images?.write(to: file)
        if let classes = header.classes {
            try file.writeLongAttribute("classes", KnownClass.json(classes))
        }
        try header.average.write(to: file)
        if let weights = header.classWeights {
            try file.writeLongAttribute(
                classWeightsName, "[\(weights.map { "\(Float($0))" }.joined(separator: ", "))]")
        }
        try file.writeAttribute(sealedName, 0)
        for array in arrays {
            try file.write(
                array.path, shape: array.shape, floats: array.values,
                attributes: [checksumName: Checksum.text(array.values)])
        }
        try file.rewriteAttribute(sealedName, try file.byteCount())
        return try file.image(isSealed: true)
    }

    /// A checksum of several arrays, one after the other.
    public static func checksum(of arrays: [CheckpointArray]) -> String {
        var checksum = Checksum()
        for array in arrays { checksum.addWords(UnsafeRawBufferPointer(array.values)) }
        return checksum.text
    }

    /// Writes a checkpoint at once or not at all.
    public static func write(
        to path: String, header: CheckpointHeader, arrays: [CheckpointArray]
    ) throws(CheckpointError) {
        try image(header, arrays: arrays, for: path).write(to: path)
    }
}
