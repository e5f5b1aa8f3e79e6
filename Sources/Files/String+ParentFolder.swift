extension String {
    /// The folder of the file or folder that a path names: "" for a name without one, "/" at the root.
    ///
    /// Foundation's `deletingLastPathComponent` ends the program where the path has one letter.
    public var parentFolder: String {
        guard let last = lastIndex(where: { $0 != "/" }) else { return isEmpty ? "" : "/" }
        guard let slash = self[...last].lastIndex(of: "/") else { return "" }
        return slash == startIndex ? "/" : String(self[..<slash])
    }
}
