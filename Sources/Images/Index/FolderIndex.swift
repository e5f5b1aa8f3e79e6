import Foundation

/// Lists a folder in ImageNet's layout, without looking into its images.
enum FolderIndex {
    /// The images of `subsets` in the folder `path`; development images are held out as `split`
    /// says where there is no folder `dev`. The notes say what was passed over.
    ///
    /// - Parameter onProgress: Called whenever the folder of a class has been listed.
    static func list(
        _ path: String, subsets: [Subset], split: Split,
        onProgress: @escaping () -> Void = {}
    ) throws(ImagesError) -> (index: ImageIndex, notes: [String]) {
        let names = Subset.allCases.filter { exists("\(path)/\($0.rawValue)") }
        let needed = subsets.count == 1 ? "\(path)/\(subsets[0].rawValue)" : "\(path)/train"
        guard !names.isEmpty else { throw .missingFolder(path: needed) }
        var wanted = Set(subsets)
        if wanted == [.dev] && !names.contains(.dev) { wanted = [.train] }
        if wanted.count == 1 && wanted.isDisjoint(with: names) {
            throw .missingFolder(path: needed)
        }
        var scan = SourceScan(subsets: wanted, findsSizes: false, onFolder: onProgress)
        try scan.add(path)
        let index = try scan.found.index(path: path).divided(by: split)
        return (index, scan.found.passedOver.lines)
    }

    private static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path)
    }
}
