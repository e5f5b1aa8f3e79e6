extension CounterRandom {
    /// A number in 0..<`count`, each equally probable.
    ///
    /// The standard library's own numbers and orders may change with its version; these are the ones
    /// that it gave in Swift 6.3, so that figures of earlier programs stay.
    ///
    /// Source: Lemire, "Fast random integer generation in an interval", 2019 (arXiv 1805.10941).
    public mutating func below(_ count: Int) -> Int {
        Contract.require(count > 0, "a choice is made among at least one")
        let bound = UInt64(count)
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let least = (0 &- bound) % bound
            while product.low < least { product = next().multipliedFullWidth(by: bound) }
        }
        return Int(product.high)
    }

    /// The first `most` of `0..<count` in a random order.
    public mutating func order(of count: Int, most: Int) -> [Int] {
        var numbers = Array(0..<count)
        for place in 0..<max(0, min(most, count - 1)) {
            numbers.swapAt(place, place + below(count - place))
        }
        return Array(numbers.prefix(most))
    }
}
