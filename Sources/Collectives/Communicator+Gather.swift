extension Communicator {
    /// The texts of all ranks, by rank. All ranks call this.
    public func gather(_ text: String) throws(CollectiveError) -> [String] {
        let own = Array(text.utf8)
        let counts = try gather([Double(own.count)]).map { Int($0[0]) }
        // Six bytes in a number stay below the 2⁵³ up to which sums of counts are exact.
        let group = 6
        let width = ((counts.max() ?? 0) + group - 1) / group
        let bytes = own + [UInt8](repeating: 0, count: width * group - own.count)
        let numbers = stride(from: 0, to: bytes.count, by: group).map { first in
            Double(bytes[first..<(first + group)].reduce(0) { $0 << 8 | Int($1) })
        }
        return try zip(gather(numbers), counts).map { numbers, count in
            let all = numbers.flatMap { number in
                (0..<group).reversed().map { UInt8(truncatingIfNeeded: Int(number) >> (8 * $0)) }
            }
            return String(decoding: all.prefix(count), as: UTF8.self)
        }
    }
}
