import CHDF5

/// What HDF5 says of a call that has failed.
enum HDF5Reason {
    private final class Words {
        var text: String?
    }

    /// The cause that the library noted last, deepest in it.
    ///
    /// - Parameter doing: What was done, where it has noted nothing.
    static func last(_ doing: String) -> String {
        let words = Words()
        // Upwards begins where the error was met.
        H5Ewalk2(
            saccader_default_errors(), H5E_WALK_UPWARD,
            { _, entry, context in
                guard let context, let text = entry?.pointee.desc else { return 0 }
                let words = Unmanaged<Words>.fromOpaque(context).takeUnretainedValue()
                if words.text == nil { words.text = String(cString: text) }
                return 0
            }, Unmanaged.passUnretained(words).toOpaque())
        return words.text.map { "\(doing): HDF5 says: \($0)" } ?? "\(doing) failed in HDF5"
    }
}
