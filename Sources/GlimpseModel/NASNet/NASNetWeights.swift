import Models

/// NASNet-A as timm names its arrays.
enum NASNetWeights {
    static let rules = PublicWeights(
        name: "nasnet", example: "nasnetalarge.tf_in1k", stage: .glimpse,
        pixelKey: "glimpse.pixels", logitsPath: "nasnet/logits", place: place,
        settings: settings)

    /// Where an array belongs.
    @Sendable static func place(_ name: String) -> PublicWeights.Place? {
        let words = name.split(separator: ".")
        guard words.count >= 2, let last = words.last else { return nil }
        switch (words[0], words.count) {
        case ("last_linear", 2):
            if last == "weight" { return .init("nasnet/logits/kernel", .kernel) }
            return last == "bias" ? .init("nasnet/logits/bias", .vector) : nil
        case ("conv0", 3):
            return convolution(words[1...], below: "nasnet/stem")
        default: break
        }
        guard let cell = cell(words[0]), words.count >= 3 else { return nil }
        return place(words.dropFirst(), below: "nasnet/\(cell)")
    }

    private static func cell(_ word: Substring) -> String? {
        for (prefix, name) in [
            ("cell_stem_", "stemCell"), ("reduction_cell_", "reduction"), ("cell_", "cell"),
        ] where word.hasPrefix(prefix) {
            let number = word.dropFirst(prefix.count)
            return Int(number).flatMap { "\($0)" == number ? "\(name)\($0)" : nil }
        }
        return nil
    }

    /// `conv.weight` or `bn.X`.
    private static func convolution(
        _ words: ArraySlice<Substring>, below path: String
    ) -> PublicWeights.Place? {
        let words = Array(words)
        guard words.count == 2 else { return nil }
        if words == ["conv", "weight"] { return .init("\(path)/conv/kernel", .kernel) }
        return words[0] == "bn" ? PublicWeights.norm("\(path)/norm", words[1]) : nil
    }

    /// An array of a cell.
    private static func place(
        _ words: ArraySlice<Substring>, below path: String
    ) -> PublicWeights.Place? {
        guard let first = words.first, let last = words.last else { return nil }
        let rest = words.dropFirst()
        switch first {
        case "conv_1x1": return convolution(rest, below: "\(path)/current")
        case "conv_prev_1x1": return convolution(rest, below: "\(path)/previous")
        case "final_path_bn":
            return rest.count == 1 ? PublicWeights.norm("\(path)/previous/norm", last) : nil
        case "path_1", "path_2":
            guard Array(rest) == ["conv", "weight"] else { return nil }
            return .init("\(path)/previous/conv\(first.suffix(1))/kernel", .kernel)
        default: break
        }
        let parts = first.split(separator: "_")
        guard parts.count == 4, parts[0] == "comb", parts[1] == "iter",
            let pair = Int(parts[2]), (0..<5).contains(pair), ["left", "right"].contains(parts[3]),
            let layer = rest.first, let number = layer.last, "12".contains(number)
        else { return nil }
        let branch = "\(path)/pair\(pair)/\(parts[3])"
        if layer == "bn_sep_\(number)", rest.count == 2 {
            return PublicWeights.norm("\(branch)/norm\(number)", last)
        }
        guard layer == "separable_\(number)", rest.count == 3, last == "weight" else { return nil }
        switch rest.dropFirst().first {
        case "depthwise_conv2d": return .init("\(branch)/depthwise\(number)/kernel", .depthwise)
        case "pointwise_conv2d": return .init("\(branch)/pointwise\(number)/kernel", .kernel)
        default: return nil
        }
    }

    /// Sizes from the shapes; the wiring is that of timm's.
    @Sendable static func settings(
        _ shapes: [String: [Int]]
    ) throws(PublicWeights.Misfit) -> (settings: [String], classes: Int) {
        guard let stem = shapes["conv0.conv.weight"], stem.count == 4,
            let logits = shapes["last_linear.weight"], logits.count == 2
        else {
            throw .init(
                "has no conv0.conv.weight and last_linear.weight: these are not the weights of a "
                    + "nasnetalarge")
        }
        let (classes, features) = (logits[0], logits[1])
        guard features % 96 == 0, features > 0 else {
            throw .init(
                "last_linear.weight: found \(logits), wanted [classes, 24·F] with F a multiple "
                    + "of 4")
        }
        let cells = Set(
            shapes.keys.compactMap { name in
                name.hasPrefix("cell_") && !name.hasPrefix("cell_stem_")
                    ? name.split(separator: ".").first : nil
            }
        ).count
        guard cells % 3 == 0, cells > 0 else {
            throw .init("has \(cells) cells: wanted three groups of equally many")
        }
        return (
            [
                "model.nasnet.stemChannels=\(stem[0])", "model.nasnet.filters=\(features / 24)",
                "model.nasnet.cellsPerGroup=\(cells / 3)", "model.nasnet.skipReductionInput=true",
                "glimpse.network=nasnet", "glimpse.locatorFamily=none",
            ], classes
        )
    }
}
