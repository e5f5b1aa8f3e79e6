import CHDF5
import Files
import Foundation

/// One open HDF5 file: datasets of numbers at slash-separated paths, and attributes of its root.
///
/// It is not to be used from two threads at once: the library is not thread-safe.
public final class HDF5File {
    /// Where the file is.
    public let path: String
    let handle: hid_t

    private init(path: String, handle: hid_t) {
        self.path = path
        self.handle = handle
    }

    deinit { H5Fclose(handle) }

    private static func prepare() -> hid_t {
        // Network file systems often have no locks, and a lock would be of no use: files are
        // written under a temporary name and never changed afterwards.
        setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1)
        start()
        saccader_silence_errors()
        return H5Pcreate(saccader_file_access())
    }

    /// Keeps the library from tidying up when the process ends: it closes once more what could not
    /// be closed, as where a network file system fails, and crashes. There is nothing to be lost, as
    /// it never writes to a disk (``create(for:expecting:)``). Called before all else.
    private static func start() { H5dont_atexit() }

    /// The library's version, as in "1.10.8".
    public static var libraryVersion: String {
        start()
        var (major, minor, release) = (UInt32(0), UInt32(0), UInt32(0))
        H5get_libversion(&major, &minor, &release)
        return "\(major).\(minor).\(release)"
    }

    /// Creates a file in memory: the library never writes to a disk, so that every failure to
    /// write is met, and told, in one place (`AtomicFile`).
    ///
    /// - Parameters:
    ///   - path: Where it is going to be, for errors.
    ///   - byteCount: About how large it gets.
    public static func create(
        for path: String, expecting byteCount: Int = 0
    ) throws(CheckpointError) -> HDF5File {
        let access = prepare()
        defer { H5Pclose(access) }
        // Tools of HDF5 1.8 can read what is written; what is read may be newer than that.
        H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_V18)
        H5Pset_fapl_core(access, max(1 << 16, byteCount / 8), false)
        let handle = H5Fcreate(path, saccader_truncate(), saccader_default(), access)
        guard handle >= 0 else {
            throw .file(FileError(path: path, reason: HDF5Reason.last("making the file")))
        }
        return HDF5File(path: path, handle: handle)
    }

    /// How many bytes a file made in memory has.
    func byteCount() throws(CheckpointError) -> Int {
        let count = H5Fflush(handle, H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(handle, nil, 0)
        guard count > 0 else { throw failed("the file") }
        return count
    }

    /// The bytes of a file made in memory.
    ///
    /// - Parameter isSealed: Whether they end with a checksum of all of them.
    public func image(isSealed: Bool = false) throws(CheckpointError) -> FileImage {
        let count = try byteCount()
        let total = count + (isSealed ? Seal.byteCount : 0)
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: total, alignment: 64)
        let image = FileImage(owning: UnsafeRawBufferPointer(bytes))
        guard H5Fget_file_image(handle, bytes.baseAddress, count) == count else {
            throw failed("the file")
        }
        if isSealed {
            let seal = Seal.bytes(of: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            UnsafeMutableRawBufferPointer(rebasing: bytes[count...]).copyBytes(from: seal)
        }
        return image
    }

    /// Opens a file for reading.
    public static func open(_ path: String) throws(CheckpointError) -> HDF5File {
        try ReadableFile.require(path)
        let access = prepare()
        defer { H5Pclose(access) }
        let handle = H5Fopen(path, saccader_read_only(), access)
        guard handle >= 0 else {
            throw .damaged(
                path: path,
                what: "is not a complete HDF5 file (\(HDF5Reason.last("opening it")))")
        }
        return HDF5File(path: path, handle: handle)
    }
}
