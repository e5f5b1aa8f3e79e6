import Files
import Foundation
import Tensors

/// What looking at one image came to.
struct Examination: Sendable {
    var record: ImageRecord
    /// Why it cannot be decoded; nil: it can, as far as was looked.
    var problem: String?
}

/// Makes an index: finds the images, looks at every one, and writes it all down. Interrupted, it
/// goes on where it was.
public struct IndexBuilder: Sendable {
    /// What is asked for.
    public struct Options: Sendable {
        /// Folders, archives and label files.
        public var paths: [String]
        /// The index to write.
        public var output: String
        /// The part of each training class that is held out for development.
        public var developmentFraction = 0.01
        /// Instead of the part, a number of images of each class.
        public var developmentImagesPerClass: Int?
        /// The part of each class that is held out as val; nil: what the sources ask for.
        public var validationFraction: Double?
        /// The seed of the divisions.
        public var seed: UInt64 = 0
        /// Whether every image is decoded, not only its head read.
        public var verifies = false
        /// Whether images that cannot be decoded are left out instead of refused.
        public var skipsUndecodable = false
        /// Threads.
        public var threadCount = 1

        /// The plain case.
        public init(paths: [String], output: String) {
            (self.paths, self.output) = (paths, output)
        }
    }

    /// How far it has come.
    public enum Progress: Sendable {
        /// Bytes of an archive whose list of members is being read.
        case listing(path: String, done: Int, of: Int)
        /// Images that were looked at.
        case reading(done: Int, of: Int)
    }

    /// Images between two entries in the journal.
    private static let blockSize = 256

    let options: Options

    /// Readies the work.
    public init(_ options: Options) { self.options = options }

    /// Does everything and says what was found; images that cannot be decoded are an error, unless
    /// they are to be left out.
    public func run(progress: @escaping (Progress) -> Void) throws(ImagesError) -> IndexSummary {
        let output = URL(fileURLWithPath: options.output).path
        try requireWritable(output)
        var scan = SourceScan { path, done, total in
            progress(.listing(path: path, done: done, of: total))
        }
        for path in options.paths { try scan.add(URL(fileURLWithPath: path).path) }
        let listed = try scan.found.index(path: output)
        var found = scan.found
        var examined = [ImageRecord](repeating: ImageRecord(), count: listed.count)
        var problems: [IndexSummary.Problem] = []
        let journal = try IndexJournal(
            output,
            fingerprint: listed.fingerprint(stamp: found.stamp, verifies: options.verifies))
        try examine(listed, journal, into: &examined, problems: &problems, progress)
        problems.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        var header = listed.header
        header.isVerified = options.verifies
        header.files = header.files.map { Self.relative($0, to: output) }
        let amount =
            options.developmentImagesPerClass.map { Split.Amount.imagesPerClass($0) }
            ?? .fraction(options.developmentFraction)
        var index = listed.replacing(header: header, records: examined)
        if let fraction = validationFraction(index, &found) {
            index = index.validating(fraction, seed: options.seed)
        }
        index = index.divided(by: Split(amount: amount, seed: options.seed))
        var summary = IndexSummary(index, problems: problems, found: found)
        summary.oddityFile = try OddityFile.write(summary.kinds, of: output)
        if !problems.isEmpty && !options.skipsUndecodable { return summary }
        let content = try index.encoded()
        try ImagesError.of(try AtomicFile.write(output, data: content))
        IndexJournal.remove(output)
        return summary
    }

    /// The part of class folders and tables that say nothing else, taken without another word.
    private static let usualValidationFraction = 0.2

    /// The part of each class to hold out as val; nil: none. What comes of it is told.
    private func validationFraction(
        _ index: ImageIndex, _ found: inout FoundImages
    ) -> Double? {
        let wanted =
            options.validationFraction
            ?? (found.isUndivided ? Self.usualValidationFraction : 0)
        guard wanted > 0 else { return nil }
        if (0..<index.count).contains(where: { index[$0].subset == .val }) {
            if options.validationFraction != nil {
                found.layouts.append("--validation-fraction is not used: there are val images")
            }
            return nil
        }
        found.layouts.append(
            "val: the fraction \(wanted) of each class, held out by a hash of the names and --seed "
                + "(--validation-fraction)")
        return wanted
    }

    private func requireWritable(_ output: String) throws(ImagesError) {
        let folder = output.parentFolder
        try ImagesError.of(try AtomicFile.createFolder(folder.isEmpty ? "." : folder))
        for (path, magic) in [
            (output, ImageIndex.magic), (IndexJournal.path(of: output), IndexJournal.magic),
            (OddityFile.path(of: output), OddityFile.magic),
        ] {
            try Self.requireOwn(path, magic: magic)
        }
    }

    /// Only what an earlier run wrote is replaced: a file that begins with `magic`, or an empty one.
    private static func requireOwn(_ path: String, magic: [UInt8]) throws(ImagesError) {
        let head: [UInt8]
        do throws(ImagesError) {
            let file = try ByteFile(path)
            head = try file.bytes(at: 0, count: min(file.size, magic.count))
        } catch {
            // Nothing is there yet, or a link to nothing.
            if access(path, F_OK) != 0 && errno == ENOENT { return }
            throw .notOurs(path: path)
        }
        guard magic.starts(with: head) else { throw .notOurs(path: path) }
    }

    /// Files below the index's folder are named from there, so that both can move together.
    private static func relative(
        _ file: ImageIndex.Container, to output: String
    ) -> ImageIndex.Container {
        let folder = output.parentFolder + "/"
        guard file.path.hasPrefix(folder) else { return file }
        return ImageIndex.Container(
            path: String(file.path.dropFirst(folder.count)), size: file.size)
    }

    /// Looks at all images in the order in which they lie in their files.
    private func examine(
        _ index: ImageIndex, _ journal: IndexJournal, into records: inout [ImageRecord],
        problems: inout [IndexSummary.Problem], _ progress: (Progress) -> Void
    ) throws(ImagesError) {
        let storage = ImageStorage(index)
        var rows: [Int] = []
        let known = journal.entries
        for row in 0..<index.count {
            records[row] = index[row]
            if let entry = known[UInt32(row)] {
                entry.complete(&records[row])
            } else {
                rows.append(row)
            }
        }
        rows.sort {
            (records[$0].file, records[$0].offset) < (records[$1].file, records[$1].offset)
        }
        let pool = ThreadPool(threadCount: options.threadCount)
        let examiners = (0..<options.threadCount).map { _ in
            ImageExaminer(storage, decodes: options.verifies)
        }
        progress(.reading(done: index.count - rows.count, of: index.count))
        for start in stride(from: 0, to: rows.count, by: Self.blockSize) {
            let block = Array(rows[start..<min(rows.count, start + Self.blockSize)])
            var results = [Result<Examination, ImagesError>?](repeating: nil, count: block.count)
            results.withUnsafeMutableBufferPointer { buffer in
                let slots = buffer
                pool.run(block.count) { piece, worker in
                    slots[piece] = examiners[worker].examine(block[piece])
                }
            }
            var entries: [IndexJournal.Entry] = []
            for (place, row) in block.enumerated() {
                guard let examination = try results[place]?.get() else { continue }
                records[row] = examination.record
                if let problem = examination.problem {
                    records[row].traits.insert(.skipped)
                    problems.append(
                        IndexSummary.Problem(name: index.name(row), reason: problem))
                } else {
                    entries.append(IndexJournal.Entry(row: UInt32(row), examination.record))
                }
            }
            try journal.append(entries)
            progress(
                .reading(done: index.count - rows.count + start + block.count, of: index.count))
        }
    }
}
