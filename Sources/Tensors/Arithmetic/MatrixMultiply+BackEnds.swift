import COpenBLAS

extension MatrixMultiply {
    /// What multiplies the layers' matrices, and the libraries that the program was built with
    /// besides, for `--version`.
    public static var backEnds: String {
        let openBLAS = "OpenBLAS \(String(cString: openblas_get_corename()))"
        var others = library == .openBLAS ? [] : [openBLAS]
        #if canImport(ConeDNN)
            if library != .oneDNN { others.append("\(OneDNN.name) unused") }
        #else
            others.append("built without oneDNN")
        #endif
        return ([libraryDescription] + others).joined(separator: ", ")
    }
}
