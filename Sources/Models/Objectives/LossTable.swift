import Layers
import Tensors

/// Sums over shards and ranks of a step's losses and counts, one row of columns per shard.
public struct LossTable: Sendable {
    private let table: Tensor<Double>
    private let columns: Int

    /// Plans `columns` columns for each shard of the workspace.
    public init(columns: Int, in workspace: Workspace) {
        self.columns = columns
        table = Tensor(vector: max(1, workspace.shardCapacity) * columns, in: workspace.arena)
    }

    /// The columns of a shard, set to 0.
    public func cleared(shard: Int) -> UnsafeMutablePointer<Double> {
        let row = table.pointer + shard * columns
        row.update(repeating: 0, count: columns)
        return row
    }

    /// The columns summed over all shards of all ranks.
    public func sum(pass: Pass) throws -> [Double] {
        try pass.sum(table, length: columns)
        return table.elements(columns)
    }
}
