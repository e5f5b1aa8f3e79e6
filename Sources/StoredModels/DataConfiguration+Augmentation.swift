import Images
import Models

extension DataConfiguration {
    /// The first setting of how training images are varied that cannot be used.
    var augmentationProblem: SettingProblem? {
        let ranges = [
            ("crop.area", crop.area, 1, "parts of the image's area"),
            ("crop.aspect", crop.aspect, 1000, "widths over heights"),
        ]
        for (key, range, most, what) in ranges {
            let values = "[\(range.map { "\($0)" }.joined(separator: ", "))]"
            guard range.count == 2, range[0] > 0, range[0] <= range[1], range[1] <= Double(most)
            else {
                return SettingProblem(
                    key,
                    "is \(values): give two \(what), the least and the most, above 0 and at most "
                        + "\(most)")
            }
        }
        let amounts = [
            ("brightness", colorJitter.brightness), ("contrast", colorJitter.contrast),
            ("saturation", colorJitter.saturation),
        ]
        for (name, value) in amounts where !(0...100).contains(value) {
            return SettingProblem(
                "colorJitter.\(name)", "is \(value): give at least 0 and at most 100")
        }
        guard (0...0.5).contains(colorJitter.hue) else {
            return SettingProblem(
                "colorJitter.hue",
                "is \(colorJitter.hue): give at least 0 and at most 0.5, half the circle of hues")
        }
        return nil
    }
}
