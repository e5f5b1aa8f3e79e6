/// Which cells a NASNet-A has, and what each reads: numbers of outputs, of which 0 is the stem's.
package struct NASNetWiring: Sendable {
    package struct Cell: Sendable {
        /// The cell's name in checkpoints, for example `reduction0`.
        package let name: String
        package let plan: CellPlan
        /// f, channels of each part of the output.
        let filters: Int
        /// The output that is its first input.
        package let current: Int
        /// The output that is its second input.
        package let previous: Int
        /// How the second input is brought to the first's size and channels.
        package let adjusting: Adjusting
    }

    /// How a cell's second input is brought to its size and channels.
    package enum Adjusting: Sendable {
        /// It is left as it is: the first stem cell reads the stem itself.
        case none
        /// A 1×1 convolution.
        case pointwise
        /// A factorized reduction, from twice the size.
        case factorized
    }

    /// The cells, in the order of the forward pass; cell k has output k + 1.
    package let cells: [Cell]

    /// The network's parts, as checkpoints name them: part k writes output k, the last one the
    /// logits.
    var parts: [String] { (["stem"] + cells.map(\.name) + ["logits"]).map { "nasnet/\($0)" } }

    package init(_ sizes: NASNetDimensions) {
        let filters = sizes.filters
        var cells = [
            Cell(
                name: "stemCell0", plan: .reduction, filters: filters / 4, current: 0,
                previous: 0, adjusting: .none),
            Cell(
                name: "stemCell1", plan: .reduction, filters: filters / 2, current: 1,
                previous: 0, adjusting: .factorized),
        ]
        for group in 0..<NASNetDimensions.groups {
            let width = filters << group
            // What the first normal cell reads beside the output before it.
            var previous = cells.count - 1
            if group > 0 {
                let (current, before) = (cells.count, cells.count - 1)
                cells.append(
                    Cell(
                        name: "reduction\(group - 1)", plan: .reduction, filters: width,
                        current: current, previous: before, adjusting: .pointwise))
                previous = sizes.skipReductionInput ? before : current
            }
            for cell in 0..<sizes.cellsPerGroup {
                let current = cells.count
                cells.append(
                    Cell(
                        name: "cell\(group * sizes.cellsPerGroup + cell)", plan: .normal,
                        filters: width, current: current, previous: previous,
                        adjusting: cell == 0 ? .factorized : .pointwise))
                previous = current
            }
        }
        self.cells = cells
    }
}
