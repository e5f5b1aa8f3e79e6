import CHDF5
import Foundation

/// What is read from a file.
extension HDF5File {
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
