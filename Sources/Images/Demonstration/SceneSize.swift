/// The size of the demonstration's pictures.
public enum SceneSize: Int, Sendable, CaseIterable {
    /// 64×64 pixels: what the demonstration's models see.
    case small = 64
    /// 128×128 pixels, of which the small ones are the scaled copies: for a second network on patches.
    case large = 128

    /// Pixels of a side for each point of the grid on which scenes are composed.
    var scale: Int { rawValue / Scene.side }
}
