import Files
import Foundation

/// Images that a table names, with their classes.
extension SourceScan {
    /// Takes in the images of a table; paths count from its folder.
    mutating func add(_ table: ImageTable) throws(ImagesError) {
        var (table, rows, lines) = (table, [ImageTable.Row](), [FileName: Int]())
        while let row = try table.next() {
            if let other = lines.updateValue(row.line, forKey: row.path) {
                throw table.damage(row.line, "names \(row.path.text) again (line \(other))")
            }
            rows.append(row)
        }
        guard !rows.isEmpty else { throw .noImages(path: table.path) }
        let folder = table.path.parentFolder
        let own = found.addContainer(folder, size: nil)
        var root: Int?
        let isTested = !rows.contains {
            SubsetFolders.subset($0.split ?? "", isTested: false) == .val
        }
        for row in rows {
            let subset = try subset(of: row, in: table, isTested: isTested)
            guard let subset else { continue }
            let isAbsolute = row.path.bytes.first == UInt8(ascii: "/")
            if isAbsolute && root == nil { root = found.addContainer("/", size: nil) }
            try add(
                row, subset, path: Self.path(row.path, below: folder),
                container: isAbsolute ? root ?? own : own)
        }
        if rows[0].split == nil { found.isUndivided = true }
        found.layouts.append(
            "\(table.path): a table of \(rows.count) images"
                + (rows[0].split == nil ? "" : ", divided as its column says"))
    }

    /// What a row's image is for; nil: a test image that is passed over.
    private mutating func subset(
        of row: ImageTable.Row, in table: ImageTable, isTested: Bool
    ) throws(ImagesError) -> Subset? {
        guard let split = row.split else { return .train }
        if let subset = SubsetFolders.subset(split, isTested: isTested) { return subset }
        guard SubsetFolders.subset(split, isTested: true) != nil else {
            throw table.damage(
                row.line, "puts \(row.path.text) into \"\(split)\", not train, dev, val or test")
        }
        found.passedOver.add(.tested, row.path.text)
        return nil
    }

    private mutating func add(
        _ row: ImageTable.Row, _ subset: Subset, path: FileName, container: Int
    ) throws(ImagesError) {
        if subset == .train { found.trainingClasses.insert(row.label) }
        let isAbsolute = path.bytes.first == UInt8(ascii: "/")
        var image = FoundImage(
            subset: subset, className: row.label, folder: nil,
            name: isAbsolute ? FileName(path.bytes.drop { $0 == UInt8(ascii: "/") }) : path,
            container: container, traits: .listed)
        if findsSizes {
            let tree = DiskTree(found.containers[container].path)
            let entry = SourceEntry(name: image.name, isFolder: false)
            let (size, stamp) = try tree.measure(entry, at: [image.name])
            image.size = size
            if stamp != 0 { found.addStamp(stamp) }
        }
        try add(image, place: path.text)
    }

    /// A row's path; one that Windows wrote, where there is no file of that name.
    private static func path(_ name: FileName, below folder: String) -> FileName {
        let backslash = UInt8(ascii: "\\")
        guard name.bytes.contains(backslash) else { return name }
        let isThere = FileName(folder).appending(name).withCString { access($0, F_OK) } == 0
        return isThere
            ? name : FileName(name.bytes.map { $0 == backslash ? UInt8(ascii: "/") : $0 })
    }
}
