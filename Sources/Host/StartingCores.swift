import Tensors

/// The cores that a launcher gave this process.
public enum StartingCores {
    /// Takes them all, of which OpenMP's library may have left one; called before threads are
    /// started.
    public static func take() { WorkerThread.useStartingCores() }
}
