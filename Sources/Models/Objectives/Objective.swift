import Layers

/// One stage's forward, loss and backward on a planned workspace.
///
/// A step calls the three in order; between them nothing is kept outside the workspace.
public protocol Objective: Sendable {
    /// Bytes that the plan laid out, parameters not counted.
    var workspace: Workspace { get }
    /// Bytes of all that a step needs beside the parameters.
    var byteCount: Int { get }
    /// Copies the images in and fills all activations.
    func forward(_ batch: TrainingBatch, pass: Pass) throws
    /// The loss over all ranks; with it the joint stage's baseline.
    func loss(_ batch: TrainingBatch, pass: Pass) throws -> LossReport
    /// Overwrites the gradients of the stage's parameters with this rank's part of them.
    func backward(_ batch: TrainingBatch, _ report: LossReport, pass: Pass) throws
    /// Every named activation of the last forward and loss, for `trace`.
    func trace(imageCount: Int) -> [TracedArray]
}

extension Objective {
    public var byteCount: Int { workspace.byteCount }
}
