/// What an evaluation shows the model of a picture.
public enum Framing: String, CaseIterable, Sendable {
    /// The central square, less `centralCropMargin`.
    case crop
    /// All of it, brought to a square whatever its shape: nothing is lost at the borders.
    case whole
}
