/// What lies at one place of a tree.
struct SourceLevel {
    /// The folders without hidden ones and the development kit's.
    private(set) var folders: [FileName] = []
    private(set) var archives: [SourceEntry] = []
    /// Neither archives nor labels.
    private(set) var files: [SourceEntry] = []
    private(set) var labels: [SourceEntry] = []
    /// Folders with files of labels in them.
    private(set) var kits: [FileName] = []
    /// Folders that hide.
    private(set) var hidden: [FileName] = []

    init(_ entries: [SourceEntry]) {
        for entry in entries {
            if entry.name.isHidden {
                if entry.isFolder { hidden.append(entry.name) }
            } else if entry.isFolder {
                if entry.name.text.contains("devkit") {
                    kits.append(entry.name)
                } else {
                    folders.append(entry.name)
                }
            } else if entry.name.ending == "tar" {
                archives.append(entry)
            } else if Labels.isLabelFile(entry.name.text) {
                labels.append(entry)
            } else {
                files.append(entry)
            }
        }
    }

    /// The folder in which Kaggle's ImageNet lies.
    static let kaggle = [FileName("Data"), FileName("CLS-LOC")]
}
