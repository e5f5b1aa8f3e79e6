extension Communicator {
    /// The texts of all ranks, by rank; of one longer than 144 bytes its beginning. All ranks call
    /// this.
    public func gather(_ text: String) throws(CollectiveError) -> [String] {
        // Six bytes in a number stay below the 2⁵³ up to which sums of counts are exact.
        let (width, group) = (24, 6)
        var bytes = Array(text.utf8.prefix(width * group))
        bytes += [UInt8](repeating: 0, count: width * group - bytes.count)
        var numbers = [Int](repeating: 0, count: size * width)
        for index in 0..<width {
            let part = bytes[(index * group)..<((index + 1) * group)]
            numbers[rank * width + index] = part.reduce(0) { $0 << 8 | Int($1) }
        }
        numbers = try sum(numbers)
        return (0..<size).map { rank in
            let all = numbers[(rank * width)..<((rank + 1) * width)].flatMap { number in
                (0..<group).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
            }
            return String(decoding: all.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
