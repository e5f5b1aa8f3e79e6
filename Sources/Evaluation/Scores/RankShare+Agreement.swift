import Files
import Images
import Layers
import Terminal

extension RankShare {
    /// Makes sure that all processes have the same: what each has read was perhaps replaced
    /// meanwhile, and their counts would be added all the same.
    ///
    /// - Parameters:
    ///   - text: Tells two versions apart.
    ///   - path: Where it was read.
    /// - Throws: On all processes alike.
    func requireSame(_ text: String, of path: String) throws {
        guard count > 1 else { return }
        // Small numbers, whose squares can be added: they are all alike if and only if the sum of
        // squares is as small as the sum allows.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let parts = (0..<4).map { Int(hash >> (16 * UInt64($0)) & 0xFFFF) }
        let sums = try sum(parts + parts.map { $0 * $0 })
        let areSame = (0..<4).allSatisfy { sums[$0] * sums[$0] == count * sums[$0 + 4] }
        guard !areSame else { return }
        throw RequestError(
            "\(path): the ranks have read different versions of it, as it is being replaced; give "
                + "one that stays as it is, such as checkpoints/STAGE-STEP.h5 or a copy",
            exitCode: .badData)
    }

    /// The same of everything that an evaluation reads.
    func requireSame(
        _ checkpoints: [OpenedCheckpoint], _ images: ImageSet, of data: String
    ) throws {
        guard count > 1 else { return }
        for checkpoint in checkpoints {
            let store = checkpoint.stored.store
            let sums = [store.allValues, store.allStatistics].map {
                Checksum.text(UnsafeBufferPointer($0))
            }
            try requireSame(
                "\(checkpoint.provenance)\(sums)", of: checkpoint.provenance.path)
        }
        try requireSame(images.fingerprint, of: data)
    }
}
