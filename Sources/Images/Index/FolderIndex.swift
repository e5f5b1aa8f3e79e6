import Foundation

/// Lists a folder that is divided into train, val and dev, without looking into its images.
enum FolderIndex {
    /// The images of `subsets` in the folder `path`; development images are held out as `split`
    /// says where there is no folder `dev`. The warnings say what was passed over, and which folder
    /// was taken for what.
    ///
    /// - Parameter onProgress: Called whenever the folder of a class has been listed.
    static func list(
        _ path: String, subsets: [Subset], split: Split,
        onProgress: @escaping () -> Void = {}
    ) throws(ImagesError) -> (index: ImageIndex, warnings: [String]) {
        let needed = subsets.count == 1 ? "\(path)/\(subsets[0].rawValue)" : "\(path)/train"
        guard FileManager.default.fileExists(atPath: path) else {
            throw .missingFolder(path: needed)
        }
        var scan = SourceScan(subsets: Set(subsets), findsSizes: false, onFolder: onProgress)
        scan.needsDivision = true
        try scan.add(DiskTree(path), container: nil)
        let there = scan.found.subsetFolders
        let isMissing = scan.subsets.count == 1 && scan.subsets.isDisjoint(with: there)
        guard !there.isEmpty, !isMissing else {
            throw .missingFolder(path: needed)
        }
        let index = try scan.found.index(path: path).divided(by: split)
        return (index, scan.found.layouts + scan.found.passedOver.lines)
    }
}
