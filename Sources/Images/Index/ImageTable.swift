import Foundation

/// A table of images and their classes: CSV whose header names the columns, `path,label[,split]`.
struct ImageTable {
    /// Which columns there are.
    private struct Columns: Equatable {
        let path: Int
        let label: Int
        let split: Int?
        let count: Int
    }

    /// A row of an image.
    struct Row {
        let line: Int
        let path: FileName
        let label: FileName
        /// What its part of the data set is called; nil without such a column.
        let split: String?
    }

    /// Where it is.
    let path: String
    private let columns: Columns
    private var text: DelimitedText

    /// Columns' names, as tables of public collections have them.
    private static let pathNames: Set<String> = [
        "path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path",
    ]
    private static let labelNames: Set<String> = [
        "label", "labels", "class", "class_name", "category",
    ]
    private static let splitNames: Set<String> = ["split", "subset", "set", "partition"]
    private static let delimiters = [",", ";", "\t"].map { UInt8(ascii: $0) }

    /// Nil where a file is no such table by its name and its first line.
    init?(_ file: ByteFile) throws(ImagesError) {
        guard Self.isNamed(FileName(file.path)) else { return nil }
        try self.init(file.bytes(at: 0, count: file.size), path: file.path)
    }

    /// Whether a file may be such a table by its name.
    static func isNamed(_ name: FileName) -> Bool { ["csv", "tsv"].contains(name.ending) }

    /// No header is longer than so many bytes.
    static let longestHeader = 1 << 16

    /// Nil where the first line names no columns of images and labels.
    init?(_ bytes: [UInt8], path: String) throws(ImagesError) {
        self.path = path
        let content = try TextFile.content(bytes, path: path)
        for delimiter in Self.delimiters {
            var text = DelimitedText(content, delimiter: delimiter)
            let header: DelimitedText.Row?
            do throws(DelimitedText.Damage) { header = try text.next() } catch { continue }
            guard let header else { break }
            if let columns = try Self.columns(header, path: path) {
                (self.columns, self.text) = (columns, text)
                return
            }
            if header.values.count > 1 { try Self.requireHeader(header, path: path) }
        }
        return nil
    }

    private static func columns(
        _ header: DelimitedText.Row, path: String
    ) throws(ImagesError) -> Columns? {
        let names = header.values.map {
            String(decoding: $0, as: UTF8.self).lowercased()
                .trimmingCharacters(in: .whitespaces)
        }
        func place(_ known: Set<String>) throws(ImagesError) -> Int? {
            let places = names.indices.filter { known.contains(names[$0]) }
            guard places.count < 2 else {
                throw .damaged(
                    path: path,
                    what: "has two columns for one thing, \(names[places[0]]) and "
                        + "\(names[places[1]])", remedy: "rename the one that is not meant")
            }
            return places.first
        }
        guard let image = try place(pathNames), let label = try place(labelNames) else {
            return nil
        }
        return Columns(
            path: image, label: label, split: try place(splitNames), count: names.count)
    }

    /// A first line that is an image's is no header.
    private static func requireHeader(
        _ row: DelimitedText.Row, path: String
    ) throws(ImagesError) {
        let first = FileName(row.values[0])
        guard FoundImage.isImage(first), !first.text.contains("_val_") else { return }
        throw .damaged(
            path: path, what: "has an image in its first line, \(first.text), but no header",
            remedy: "write path,label or path,label,split above it")
    }

    /// The next image's row, or nil after the last.
    mutating func next() throws(ImagesError) -> Row? {
        let row: DelimitedText.Row?
        do throws(DelimitedText.Damage) {
            row = try text.next()
        } catch {
            throw damage(error.line, error.what)
        }
        guard let row else { return nil }
        guard row.values.count == columns.count else {
            throw damage(
                row.line, "has \(row.values.count) values, but the header names \(columns.count)")
        }
        let (image, label) = (FileName(row.values[columns.path]), row.values[columns.label])
        guard !image.bytes.isEmpty, !label.isEmpty else {
            throw damage(row.line, "names no \(image.bytes.isEmpty ? "path" : "label")")
        }
        return Row(
            line: row.line, path: image, label: FileName(label),
            split: columns.split.map { String(decoding: row.values[$0], as: UTF8.self) })
    }

    func damage(_ line: Int, _ what: String) -> ImagesError {
        .damaged(path: "\(path):\(line)", what: what, remedy: "correct this line of the table")
    }
}
