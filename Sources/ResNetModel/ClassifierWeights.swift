import Models

/// ResNet-v2 as timm names its arrays.
enum ClassifierWeights {
    static let rules = PublicWeights(
        name: "resnetv2", example: "resnetv2_50.a1h_in1k", stage: .classifier,
        pixelKey: "model.classifier.pixels", logitsPath: "classifier/logits", place: place,
        settings: settings)

    /// Where an array belongs.
    @Sendable static func place(_ name: String) -> PublicWeights.Place? {
        let words = name.split(separator: ".")
        switch name {
        case "stem.conv.weight": return .init("classifier/stem/conv/kernel", .kernel)
        case "head.fc.weight": return .init("classifier/logits/kernel", .kernel)
        case "head.fc.bias": return .init("classifier/logits/bias", .vector)
        default: break
        }
        if words.count == 2, words[0] == "norm" {
            return PublicWeights.norm("classifier/norm", words[1])
        }
        guard words.count >= 6, words[0] == "stages", words[2] == "blocks",
            let group = Int(words[1]), let block = Int(words[3]), group >= 0, block >= 0,
            "\(group)" == words[1], "\(block)" == words[3]
        else { return nil }
        let path = "classifier/group\(group)/block\(block)"
        let layer = words[4]
        if words.count == 7, Array(words[4...]) == ["downsample", "conv", "weight"] {
            return .init("\(path)/shortcut/conv/kernel", .kernel)
        }
        guard words.count == 6, let number = layer.last, "123".contains(number) else { return nil }
        if layer == "conv\(number)", words[5] == "weight" {
            return .init("\(path)/conv\(number)/kernel", .kernel)
        }
        return layer == "norm\(number)"
            ? PublicWeights.norm("\(path)/norm\(number)", words[5]) : nil
    }

    /// Sizes from the shapes; the strides are those of timm's: 1, then 2.
    @Sendable static func settings(
        _ shapes: [String: [Int]]
    ) throws(PublicWeights.Misfit) -> (settings: [String], classes: Int) {
        try requirePlainNetwork(shapes)
        guard let stem = shapes["stem.conv.weight"], stem.count == 4,
            let logits = shapes["head.fc.weight"], logits.count >= 2
        else {
            throw .init(
                "has no stem.conv.weight and head.fc.weight: these are not the weights of a "
                    + "resnetv2_50 or resnetv2_101")
        }
        var (planes, blocks): ([Int], [Int]) = ([], [])
        var expansion = 0
        while let inner = shapes["stages.\(planes.count).blocks.0.conv1.weight"]?.first {
            let group = planes.count
            var count = 0
            while shapes["stages.\(group).blocks.\(count).conv1.weight"] != nil { count += 1 }
            planes.append(inner)
            blocks.append(count)
            let outer = shapes["stages.\(group).blocks.0.conv3.weight"]?.first ?? 0
            if expansion == 0, inner > 0 { expansion = outer / inner }
        }
        guard !planes.isEmpty, expansion > 0 else {
            throw .init("has no groups of bottlenecks: these are not the weights of a resnetv2")
        }
        let strides = planes.indices.map { $0 == 0 ? 1 : 2 }
        return (
            [
                "model.classifier.stemChannels=\(stem[0])", "model.classifier.planes=\(planes)",
                "model.classifier.blocks=\(blocks)", "model.classifier.strides=\(strides)",
                "model.classifier.expansion=\(expansion)", "model.batchNorm.epsilon=0.00001",
            ], logits[0]
        )
    }

    /// Refuses relatives that look alike and compute something else.
    private static func requirePlainNetwork(
        _ shapes: [String: [Int]]
    ) throws(PublicWeights.Misfit) {
        let advice = "take resnetv2_50.a1h_in1k or resnetv2_101.a1h_in1k"
        if shapes["stem.conv1.weight"] != nil {
            throw .init(
                "looks like a resnetv2_50d or resnetv2_50t, which begin with three convolutions "
                    + "where there is one here: \(advice)")
        }
        if shapes["stem.conv.weight"] != nil,
            !shapes.keys.contains(where: { $0.hasSuffix(".running_mean") })
        {
            throw .init(
                "looks like a resnetv2_50x1_bit or resnetv2_50d_gn, with group norm (and weight "
                    + "standardisation), where there are batch norms here: \(advice)")
        }
        if shapes["stages.0.blocks.0.conv1.weight"] != nil,
            shapes["stages.0.blocks.0.conv3.weight"] == nil
        {
            throw .init(
                "looks like a resnetv2_18 or resnetv2_34, whose blocks have two convolutions: "
                    + advice)
        }
    }
}
