import CHDF5
import Files
import Foundation

/// What is written to a file.
extension HDF5File {
    func failed(_ what: String) -> CheckpointError {
        .file(FileError(path: path, reason: HDF5Reason.last("writing \(what)")))
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
}
