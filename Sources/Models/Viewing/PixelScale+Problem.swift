import Tensors

extension PixelScale {
    /// What is wrong with the numbers, by their key.
    public var problem: SettingProblem? {
        for (key, list) in [("mean", mean), ("deviation", deviation)] {
            if list.count != 3 && !(mean.isEmpty && deviation.isEmpty) {
                return SettingProblem(
                    key, "has \(list.count) numbers: give red, green and blue, or [] for both lists"
                )
            }
            if let number = list.first(where: { !$0.isFinite }) {
                return SettingProblem(key, "has \(number): give finite numbers")
            }
        }
        if let number = deviation.first(where: { $0 <= 0 }) {
            return SettingProblem("deviation", "has \(number): give more than 0")
        }
        return nil
    }
}
