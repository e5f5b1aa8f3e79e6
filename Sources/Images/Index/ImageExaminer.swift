/// Looks at one image after the other; one per thread.
final class ImageExaminer {
    private let storage: ImageStorage
    private let decodes: Bool
    private let decoder = ImageDecoder()
    private var bytes = [UInt8]()

    /// - Parameter decodes: Whether every pixel is looked at, not only the head.
    init(_ storage: ImageStorage, decodes: Bool) {
        (self.storage, self.decodes) = (storage, decodes)
    }

    /// Completes what the index knows of the image at `row`; the error is one of reading, not of
    /// the image.
    func examine(_ row: Int) -> Result<Examination, ImagesError> {
        var record = storage.index[row]
        do throws(ImagesError) {
            try storage.read(row, into: &bytes)
        } catch {
            let isOwnFile = storage.index.header.files[Int(record.file)].size == nil
            guard isOwnFile, let problem = Self.problem(error) else { return .failure(error) }
            return .success(Examination(record: record, problem: problem))
        }
        record.checksum = ImageIndex.checksum(bytes)
        do throws(ImagesError) {
            let head = try decoder.head(bytes, path: "")
            (record.width, record.height) = (UInt32(head.width), UInt32(head.height))
            record.format = head.format.rawValue
            record.traits.formUnion(head.traits)
            if ImageHead.Format(ending: storage.index.fileName(row).ending) != head.format {
                record.traits.insert(.misnamed)
            }
            if decodes { _ = try decoder.decode(bytes, path: "") }
        } catch {
            guard case .unreadable(_, let reason) = error else { return .failure(error) }
            return .success(Examination(record: record, problem: reason))
        }
        return .success(Examination(record: record))
    }

    /// Why a file alone cannot be read; nil: the disk has failed, or the file has changed.
    private static func problem(_ error: ImagesError) -> String? {
        switch error {
        case .unreadable(_, let reason), .missing(_, let reason): reason
        case .forbidden: "permission denied"
        default: nil
        }
    }

}
