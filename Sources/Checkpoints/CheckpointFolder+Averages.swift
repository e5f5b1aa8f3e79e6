import Files

/// Checkpoints that hold averaged weights in the place of the model's: `STAGE-STEP-ema.h5`. A run
/// does not go on from them, and only the one that `best.h5` names is kept.
extension CheckpointFolder {
    private static let suffix = "-ema.h5"

    /// The name of the file beside the checkpoint `name`.
    static func averagedName(_ name: String) -> String { name.dropLast(3) + suffix }

    /// Writes such a checkpoint and links it as the best.
    ///
    /// - Parameters:
    ///   - name: Of the checkpoint beside which it lies.
    ///   - onProgress: Called whenever a piece has been written.
    public func writeBest(
        averagedBeside name: String, _ image: FileImage, onProgress: () -> Void = {}
    ) throws(CheckpointError) {
        let name = Self.averagedName(name)
        try image.write(to: "\(path)/\(name)", onProgress: onProgress)
        try linkBest(name, onProgress: onProgress)
    }

    /// The names of such files.
    func averagedNames() throws(CheckpointError) -> [String] {
        try CheckpointError.of(try AtomicFile.list(path)).filter { $0.hasSuffix(Self.suffix) }
    }

    /// Deletes all but the one that `best.h5` names.
    func pruneAveraged(keeping best: String?) throws(CheckpointError) {
        for name in try averagedNames() where name != best {
            try CheckpointError.of(try AtomicFile.remove("\(path)/\(name)"))
        }
    }
}
