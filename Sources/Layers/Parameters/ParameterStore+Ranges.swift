extension ParameterStore {
    /// The place of a statistic in the buffer of all of them.
    public func range(_ statistic: Statistic) -> Range<Int> {
        statistic.offset..<(statistic.offset + statistic.count)
    }
}
