import Testing

@testable import Images

/// Models whose answers are put together see images prepared alike.
@Suite struct LikenessTests {
    /// What changes neither the pixels that evaluation sees nor labels, or is compared by the model.
    private static let free: Set = [
        "path", "imageSize", "patchImageSize", "developmentFraction", "workers", "augmentation",
        "crop", "flip", "colorJitter",
    ]

    @Test func everySettingIsComparedOrFree() {
        let data = DataConfiguration()
        let compared = Set(data.likeness.map { $0.key.dropFirst("data.".count) }.map(String.init))
        let keys = Set(Mirror(reflecting: data).children.compactMap(\.label))
        #expect(compared.union(Self.free) == keys)
        #expect(compared.isDisjoint(with: Self.free))
    }

    @Test func eachComparedSettingTells() {
        var other = DataConfiguration()
        other.backgroundClass.toggle()
        other.centralCropMargin += 1
        other.transparency = .white
        other.orientation = .exif
        other.resize = .legacy
        for (fact, like) in zip(DataConfiguration().likeness, other.likeness) {
            #expect(fact.key == like.key && fact.value != like.value, "\(fact.key)")
        }
    }
}
