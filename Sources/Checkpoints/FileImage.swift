import Files

/// The bytes of a file that is not on a disk yet.
public final class FileImage: @unchecked Sendable {
    private let bytes: UnsafeRawBufferPointer

    /// Takes over memory that was allocated for it; nobody changes it any more.
    init(owning bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    deinit { bytes.deallocate() }

    /// Writes the file at once or not at all.
    ///
    /// - Parameter onProgress: Called whenever a piece has been written.
    public func write(
        to path: String, onProgress: () -> Void = {}
    ) throws(CheckpointError) {
        try CheckpointError.of(try AtomicFile.write(path, bytes, onProgress: onProgress))
    }
}
