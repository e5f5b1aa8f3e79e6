extension Workspace {
    /// Plans a part of a network, one that is not trained in a workspace of others that are: nothing
    /// of it is kept for a backward pass, and its norms are folded into its kernels.
    ///
    /// - Parameter isFolding: False: the norms stay deferred, of running statistics.
    public func planning<Plan>(
        frozen isFrozen: Bool, folding isFolding: Bool = true, _ plan: () -> Plan
    ) -> Plan {
        guard isFrozen else { return plan() }
        let (keeps, folds) = (keepsActivations, foldsNorms)
        (keepsActivations, foldsNorms) = (false, isFolding)
        defer { (keepsActivations, foldsNorms) = (keeps, folds) }
        return plan()
    }
}
