import CHDF5
import Foundation

/// One open HDF5 file: datasets of numbers at slash-separated paths, and attributes of its root.
///
/// Not to be used from two threads at once: the library is not thread-safe.
public final class HDF5File {
    /// Where the file is.
    public let path: String
    private let handle: hid_t

    private init(path: String, handle: hid_t) {
        self.path = path
        self.handle = handle
    }

    deinit { H5Fclose(handle) }

    private static func prepare() -> hid_t {
        // Network file systems often have no locks, and a lock would be of no use: files are
        // written under a temporary name and never changed afterwards.
        setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1)
        saccader_silence_errors()
        return H5Pcreate(saccader_file_access())
    }

    /// The library's version, as in "1.10.8".
    public static var libraryVersion: String {
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
            throw .unwritable(path: path, reason: HDF5Reason.last("making the file"))
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

    // MARK: - Writing

    private func failed(_ what: String) -> CheckpointError {
        .unwritable(path: path, reason: HDF5Reason.last("writing \(what)"))
    }

    /// Writes a dataset, making the groups above it.
    ///
    /// - Parameters:
    ///   - shape: Row-major dimensions; empty for a scalar.
    ///   - attributes: Strings that go with the dataset.
    private func write(
        _ name: String, shape: [Int], type: hid_t, attributes: [String: String],
        bytes: UnsafeRawPointer?
    ) throws(CheckpointError) {
        let dimensions = shape.map { hsize_t($0) }
        let space = H5Screate_simple(Int32(shape.count), dimensions, nil)
        guard space >= 0 else { throw failed(name) }
        defer { H5Sclose(space) }
        let links = H5Pcreate(saccader_link_creation())
        guard links >= 0 else { throw failed(name) }
        defer { H5Pclose(links) }
        guard H5Pset_create_intermediate_group(links, 1) >= 0 else { throw failed(name) }
        let set = H5Dcreate2(
            handle, name, type, space, links, saccader_default(), saccader_default())
        guard set >= 0 else { throw failed(name) }
        defer { H5Dclose(set) }
        if let bytes, !shape.contains(0) {
            let status = H5Dwrite(
                set, type, saccader_whole(), saccader_whole(), saccader_default(), bytes)
            guard status >= 0 else { throw failed(name) }
        }
        for (key, value) in attributes {
            try writeString(key, value, on: set)
        }
    }

    /// Writes single-precision numbers.
    public func write(
        _ name: String, shape: [Int], floats: UnsafeBufferPointer<Float>,
        attributes: [String: String] = [:]
    ) throws(CheckpointError) {
        precondition(shape.reduce(1, *) == floats.count, "\(name): \(shape) ≠ \(floats.count)")
        try write(
            name, shape: shape, type: saccader_native_float(), attributes: attributes,
            bytes: UnsafeRawPointer(floats.baseAddress))
    }

    /// Writes single-precision numbers.
    public func write(_ name: String, shape: [Int], floats: [Float]) throws(CheckpointError) {
        let copy = floats
        precondition(shape.reduce(1, *) == copy.count, "\(name): \(shape) ≠ \(copy.count)")
        try write(
            name, shape: shape, type: saccader_native_float(), attributes: [:], bytes: copy)
    }

    /// Writes 32-bit integers.
    public func write(_ name: String, shape: [Int], integers: [Int32]) throws(CheckpointError) {
        precondition(shape.reduce(1, *) == integers.count, "\(name): \(shape)")
        try write(
            name, shape: shape, type: saccader_native_int32(), attributes: [:], bytes: integers)
    }

    /// Writes one double-precision number.
    public func write(_ name: String, scalar: Double) throws(CheckpointError) {
        try write(
            name, shape: [], type: saccader_native_double(), attributes: [:], bytes: [scalar])
    }

    private func writeString(
        _ name: String, _ value: String, on object: hid_t
    ) throws(CheckpointError) {
        let bytes = Array(value.utf8)
        let type = H5Tcopy(saccader_c_string())
        guard type >= 0 else { throw failed("attribute \(name)") }
        defer { H5Tclose(type) }
        guard H5Tset_size(type, max(1, bytes.count)) >= 0,
            H5Tset_cset(type, H5T_CSET_UTF8) >= 0
        else { throw failed("attribute \(name)") }
        try writeAttribute(name, type: type, bytes: bytes.isEmpty ? [0] : bytes, on: object)
    }

    private func writeAttribute(
        _ name: String, type: hid_t, bytes: UnsafeRawPointer, on object: hid_t
    ) throws(CheckpointError) {
        let space = H5Screate(H5S_SCALAR)
        guard space >= 0 else { throw failed("attribute \(name)") }
        defer { H5Sclose(space) }
        let attribute = H5Acreate2(
            object, name, type, space, saccader_default(), saccader_default())
        guard attribute >= 0 else { throw failed("attribute \(name)") }
        defer { H5Aclose(attribute) }
        guard H5Awrite(attribute, type, bytes) >= 0 else { throw failed("attribute \(name)") }
    }

    /// Writes a text attribute of the root.
    public func writeAttribute(_ name: String, _ value: String) throws(CheckpointError) {
        try writeString(name, value, on: handle)
    }

    /// Writes a text attribute of the root that may be long: of fixed length it could have no more
    /// than 64 kB.
    func writeLongAttribute(_ name: String, _ value: String) throws(CheckpointError) {
        let type = H5Tcopy(saccader_c_string())
        defer { H5Tclose(type) }
        H5Tset_size(type, saccader_variable())
        H5Tset_cset(type, H5T_CSET_UTF8)
        let result = value.withCString { text -> Result<Void, CheckpointError> in
            do throws(CheckpointError) {
                return .success(try writeAttribute(name, type: type, bytes: [text], on: handle))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Writes an integer attribute of the root.
    public func writeAttribute(_ name: String, _ value: Int) throws(CheckpointError) {
        try writeAttribute(
            name, type: saccader_native_int64(), bytes: [Int64(value)], on: handle)
    }

    /// Replaces the number of an integer attribute of the root, in its place.
    func rewriteAttribute(_ name: String, _ value: Int) throws(CheckpointError) {
        let attribute = H5Aopen(handle, name, saccader_default())
        guard attribute >= 0 else { throw failed("attribute \(name)") }
        defer { H5Aclose(attribute) }
        guard H5Awrite(attribute, saccader_native_int64(), [Int64(value)]) >= 0 else {
            throw failed("attribute \(name)")
        }
    }

    /// Writes a number as an attribute of the root.
    public func writeAttribute(_ name: String, _ value: Double) throws(CheckpointError) {
        try writeAttribute(name, type: saccader_native_double(), bytes: [value], on: handle)
    }

    // MARK: - Reading

    /// Whether there is a dataset or group at `name`.
    public func contains(_ name: String) -> Bool {
        // Each group on the way must be asked for, or the library complains.
        var partial = ""
        for component in name.split(separator: "/") {
            partial += "/\(component)"
            if H5Lexists(handle, partial, saccader_default()) <= 0 { return false }
        }
        return true
    }

    /// The paths of all datasets below the group `name`, sorted, relative to it.
    public func datasets(under name: String) -> [String] {
        guard contains(name) else { return [] }
        var found: [String] = []
        collect(name, prefix: "", into: &found)
        return found.sorted()
    }

    private func collect(_ name: String, prefix: String, into found: inout [String]) {
        let group = H5Gopen2(handle, name, saccader_default())
        guard group >= 0 else { return }
        defer { H5Gclose(group) }
        var information = H5G_info_t()
        guard H5Gget_info(group, &information) >= 0 else { return }
        for index in 0..<information.nlinks {
            let length = H5Lget_name_by_idx(
                group, ".", H5_INDEX_NAME, H5_ITER_INC, index, nil, 0, saccader_default())
            guard length > 0 else { continue }
            var buffer = [CChar](repeating: 0, count: length + 1)
            guard
                H5Lget_name_by_idx(
                    group, ".", H5_INDEX_NAME, H5_ITER_INC, index, &buffer, length + 1,
                    saccader_default()) > 0
            else { continue }
            let child = String(
                decoding: buffer.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let object = H5Oopen(group, child, saccader_default())
            guard object >= 0 else { continue }
            defer { H5Oclose(object) }
            switch H5Iget_type(object) {
            case H5I_DATASET: found.append(prefix + child)
            case H5I_GROUP: collect("\(name)/\(child)", prefix: "\(prefix)\(child)/", into: &found)
            default: break
            }
        }
    }

    private func withDataset<Result>(
        _ name: String, _ body: (hid_t, [Int]) throws(CheckpointError) -> Result
    ) throws(CheckpointError) -> Result {
        guard contains(name) else { throw .damaged(path: path, what: "has no dataset \(name)") }
        let set = H5Dopen2(handle, name, saccader_default())
        guard set >= 0 else { throw .damaged(path: path, what: "\(name) is not a dataset") }
        defer { H5Dclose(set) }
        let space = H5Dget_space(set)
        guard space >= 0 else { throw .damaged(path: path, what: "\(name) has no shape") }
        defer { H5Sclose(space) }
        let rank = H5Sget_simple_extent_ndims(space)
        guard rank >= 0 else { throw .damaged(path: path, what: "\(name) has no shape") }
        var dimensions = [hsize_t](repeating: 0, count: max(1, Int(rank)))
        guard H5Sget_simple_extent_dims(space, &dimensions, nil) >= 0 else {
            throw .damaged(path: path, what: "\(name) has no shape")
        }
        return try body(set, dimensions.prefix(Int(rank)).map { Int($0) })
    }

    /// The row-major dimensions of a dataset.
    public func shape(of name: String) throws(CheckpointError) -> [Int] {
        try withDataset(name) { _, shape throws(CheckpointError) in shape }
    }

    /// Numbers of a dataset, where they can be: compressed bytes hold at most about a thousand times
    /// as many.
    private func count(of name: String, _ shape: [Int]) throws(CheckpointError) -> Int {
        var fileByteCount: hsize_t = 0
        guard H5Fget_filesize(handle, &fileByteCount) >= 0 else {
            throw .inputOutput(path: path, reason: HDF5Reason.last("asking for its size"))
        }
        let count = shape.reduce(1.0) { $0 * Double($1) }
        guard count <= 1032 * Double(fileByteCount) else {
            throw .damaged(path: path, what: "\(name) has an impossible shape \(shape)")
        }
        return shape.reduce(1, *)
    }

    private func read<Number: BitwiseCopyable>(
        _ name: String, type: hid_t, zero: Number
    ) throws(CheckpointError) -> [Number] {
        try withDataset(name) { set, shape throws(CheckpointError) in
            var numbers = [Number](repeating: zero, count: try count(of: name, shape))
            if numbers.isEmpty { return numbers }
            let status = numbers.withUnsafeMutableBytes {
                H5Dread(
                    set, type, saccader_whole(), saccader_whole(), saccader_default(),
                    $0.baseAddress)
            }
            guard status >= 0 else {
                throw .damaged(
                    path: path, what: "\(name) cannot be read (\(HDF5Reason.last("reading")))")
            }
            return numbers
        }
    }

    /// The numbers of a dataset in single precision.
    public func floats(_ name: String) throws(CheckpointError) -> [Float] {
        try read(name, type: saccader_native_float(), zero: 0)
    }

    /// The numbers of a dataset as 32-bit integers.
    public func integers(_ name: String) throws(CheckpointError) -> [Int32] {
        try read(name, type: saccader_native_int32(), zero: 0)
    }

    /// The numbers of a dataset in double precision.
    public func doubles(_ name: String) throws(CheckpointError) -> [Double] {
        try read(name, type: saccader_native_double(), zero: 0)
    }

    /// A text attribute of the object `object` (the root by default), or nil where there is none.
    public func text(_ name: String, of object: String = "/") throws(CheckpointError) -> String? {
        guard H5Aexists_by_name(handle, object, name, saccader_default()) > 0 else { return nil }
        let attribute = H5Aopen_by_name(
            handle, object, name, saccader_default(), saccader_default())
        let problem = CheckpointError.damaged(path: path, what: "attribute \(name) is not text")
        guard attribute >= 0 else { throw problem }
        defer { H5Aclose(attribute) }
        let stored = H5Aget_type(attribute)
        guard stored >= 0 else { throw problem }
        defer { H5Tclose(stored) }
        guard H5Tget_class(stored) == H5T_STRING else { throw problem }
        let type = H5Tcopy(saccader_c_string())
        guard type >= 0 else { throw problem }
        defer { H5Tclose(type) }
        H5Tset_cset(type, H5Tget_cset(stored))
        guard H5Tis_variable_str(stored) > 0 else {
            let size = H5Tget_size(stored)
            var bytes = [UInt8](repeating: 0, count: size + 1)
            H5Tset_size(type, size + 1)
            guard H5Aread(attribute, type, &bytes) >= 0 else { throw problem }
            return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        H5Tset_size(type, saccader_variable())
        var pointer: UnsafeMutablePointer<CChar>?
        guard H5Aread(attribute, type, &pointer) >= 0, let pointer else { throw problem }
        defer { H5free_memory(pointer) }
        return String(cString: pointer)
    }

    /// An integer attribute of the root, or nil where there is none.
    public func integer(_ name: String) throws(CheckpointError) -> Int? {
        try scalar(name, type: saccader_native_int64(), zero: Int64(0)).map { Int($0) }
    }

    /// A number attribute of the root, or nil where there is none.
    public func number(_ name: String) throws(CheckpointError) -> Double? {
        try scalar(name, type: saccader_native_double(), zero: 0)
    }

    private func scalar<Number: BitwiseCopyable>(
        _ name: String, type: hid_t, zero: Number
    ) throws(CheckpointError) -> Number? {
        guard H5Aexists(handle, name) > 0 else { return nil }
        let attribute = H5Aopen(handle, name, saccader_default())
        guard attribute >= 0 else {
            throw .damaged(path: path, what: "attribute \(name) cannot be read")
        }
        defer { H5Aclose(attribute) }
        var value = zero
        let status = withUnsafeMutableBytes(of: &value) {
            H5Aread(attribute, type, $0.baseAddress)
        }
        guard status >= 0 else {
            throw .damaged(path: path, what: "attribute \(name) is not a number")
        }
        return value
    }
}
