extension BatchLoader {
    /// Starts loading `entries` of `set` in their order, `batchSize` at a time, as evaluation sees
    /// them.
    public convenience init(
        _ set: ImageSet, entries: [Int], batchSize: Int, configuration: DataConfiguration,
        seed: UInt64, framing: Framing
    ) {
        self.init(set, configuration: configuration, seed: seed, framing: framing) { number in
            let rest = entries.dropFirst(number * batchSize)
            return rest.isEmpty
                ? nil
                : BatchRequest(entries: Array(rest.prefix(batchSize)), augmentation: nil)
        }
    }
}
