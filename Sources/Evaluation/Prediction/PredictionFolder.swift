import Files
import Foundation
import Images
import Tensors

/// The folder of `--output`: `predictions.csv`, `predictions.jsonl` and the pictures. All grow with
/// each batch, by whole lines and whole files: what a run that was ended has predicted is there.
public final class PredictionFolder {
    private static let tables = ["predictions.csv", "predictions.jsonl"]
    private static let listName = ".predictions"

    /// Where it is.
    public let path: String
    private let top: Int
    /// The most pictures that are drawn.
    private let mostPictures: Int
    private let pool: ThreadPool
    private var folder: ResultFolder
    private let csv: AppendedFile
    private let lines: AppendedFile
    private var drawn = 0

    /// Makes the folder where it is missing, removes an earlier run's files, and begins the tables.
    public init(_ path: String, of run: PredictionRun, mostPictures: Int) throws {
        (self.path, self.mostPictures) = (path, mostPictures)
        (top, pool) = (run.top, run.pool)
        func open() throws -> ResultFolder {
            try ResultFolder(path, for: Self.tables, listName: Self.listName)
        }
        let head = EvaluationReport.lines([Prediction.columns(top: run.top)])
        _ = try open().replace(by: [
            ResultFolder.File(Self.tables[0], text: head),
            ResultFolder.File(Self.tables[1], text: ""),
        ])
        folder = try open()
        csv = try AppendedFile(appendingTo: "\(path)/\(Self.tables[0])")
        lines = try AppendedFile(appendingTo: "\(path)/\(Self.tables[1])")
    }

    /// Adds a batch.
    ///
    /// - Returns: What was wrong with pictures that could no longer be read when they were drawn.
    public func add(_ batch: [Prediction]) throws -> [ImagesError] {
        var problems: [ImagesError] = []
        // As many at once as there are threads: each may take hundreds of megabytes.
        var start = 0
        while start < batch.count {
            let part = Array(batch[start..<min(batch.count, start + pool.threadCount)])
            start += part.count
            problems += try addPart(part)
        }
        return problems
    }

    private func addPart(_ part: [Prediction]) throws -> [ImagesError] {
        var names: [PredictionPictures.Names?] = []
        for prediction in part {
            names.append(drawn < mostPictures ? PredictionPictures.names(prediction) : nil)
            drawn += names.last == nil ? 0 : 1
        }
        let chosen = names
        var files = [Result<[ResultFolder.File], any Error>](
            repeating: .success([]), count: part.count)
        files.withUnsafeMutableBufferPointer { files in
            pool.run(part.count) { index, _ in
                guard let names = chosen[index] else { return }
                files[index] = Result { try PredictionPictures.files(part[index], names: names) }
            }
        }
        var drawings: [ResultFolder.File] = []
        var problems: [ImagesError] = []
        for (index, result) in files.enumerated() {
            do {
                drawings += try result.get()
            } catch let error as ImagesError {
                names[index] = nil
                problems.append(error)
            }
        }
        try folder.add(drawings)
        try csv.append(
            EvaluationReport.lines(zip(part, names).map { $0.row(top: top, $1) }).utf8)
        try lines.append(zip(part, names).map { try $0.json($1) + "\n" }.joined().utf8)
        return problems
    }
}
