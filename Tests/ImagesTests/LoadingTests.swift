import Foundation
import TestSupport
import Testing

@testable import Images

@Test(arguments: [1, 2, 3, 50, 1000, 4097])
func anEpochIsAPermutation(count: Int) {
    let orders = (0..<3).map { stream in
        let order = EpochOrder(count: count, seed: 7, stream: UInt64(stream))
        return (0..<count).map { order[$0] }
    }
    for order in orders { #expect(order.sorted() == Array(0..<count)) }
    if count > 3 { #expect(orders[0] != orders[1] && orders[1] != orders[2]) }
}

/// The demonstration, small, as a folder of images.
private func makeScenes(_ folder: TemporaryFolder, seed: UInt64 = 3) throws -> String {
    let counts = DemonstrationSet.Counts(training: 30, development: 20, validation: 10)
    let path = folder.path("scenes-\(seed)-\(UUID().uuidString)")
    try DemonstrationSet(seed: seed, counts: counts).write(to: path) { _, _ in }
    return path
}

private var settings: DataConfiguration {
    var settings = DataConfiguration()
    settings.imageSize = 64
    settings.backgroundClass = false
    settings.centralCropMargin = 0
    settings.augmentation = .none
    return settings
}

@Test func theDemonstrationIsTheSameForASeed() throws {
    let folder = try TemporaryFolder()
    let (first, second) = (try makeScenes(folder), try makeScenes(folder))
    let other = try makeScenes(folder, seed: 4)
    let manager = FileManager.default
    let names = try manager.subpathsOfDirectory(atPath: first).sorted()
    #expect(try manager.subpathsOfDirectory(atPath: second).sorted() == names)
    #expect(names.filter { $0.hasSuffix(".JPEG") }.count == 60)
    var differing = 0
    for name in names where name.contains(".") {
        let own = manager.contents(atPath: "\(first)/\(name)")
        #expect(own == manager.contents(atPath: "\(second)/\(name)"))
        differing += own == manager.contents(atPath: "\(other)/\(name)") ? 0 : 1
    }
    #expect(differing >= 60)
}

@Test func scenesAreWhatTheyClaim() throws {
    let folder = try TemporaryFolder()
    let path = try makeScenes(folder)
    let data = try ImageDataset(path, configuration: settings, seed: 0)
    #expect(data.classes.count == 10)
    #expect(data.training.entries.count == 30)
    #expect(data.development.entries.count == 20)
    #expect(data.validation.entries.count == 10)
    let places = try #require(try KnownPlaces(folder: path))
    let decoder = ImageDecoder()
    for set in [data.training, data.development, data.validation] {
        for (index, entry) in set.entries.enumerated() {
            var bytes: [UInt8] = []
            try set.read(index, into: &bytes)
            let pixels = try decoder.decode(bytes, path: set.path(index))
            #expect(pixels.height == 64 && pixels.width == 64)
            let known = places.places(of: entry.name)
            #expect(known.count == 2)
            let distance = max(abs(known[0].y - known[1].y), abs(known[0].x - known[1].x))
            #expect(distance >= 22)
            for place in known {
                // A digit is bright, the background dark: its 20×20 square holds bright pixels.
                var brightest = 0
                for y in max(0, place.y - 10)..<min(64, place.y + 10) {
                    for x in max(0, place.x - 10)..<min(64, place.x + 10) {
                        for channel in 0..<3 {
                            brightest = max(
                                brightest, Int(pixels.bytes[(y * 64 + x) * 3 + channel]))
                        }
                    }
                }
                #expect(brightest > 120)
            }
        }
    }
}

@Test func aFolderThatHoldsSomethingElseIsLeftAlone() throws {
    let folder = try TemporaryFolder()
    try Data("mine".utf8).write(to: URL(fileURLWithPath: folder.path("file")))
    #expect(throws: ImagesError.occupied(path: folder.path)) {
        try DemonstrationSet(seed: 0).write(to: folder.path) { _, _ in }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["file"])
}

/// As when the tasks of a job array start together.
@Test func twoProgramsMayMakeTheDemonstrationAtOnce() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("set")
    let counts = DemonstrationSet.Counts(training: 30, development: 20, validation: 10)
    let set = DemonstrationSet(seed: 3, counts: counts)
    let other = try makeScenes(folder)
    var isFirst = true
    try set.write(to: path) { _, _ in
        // The other one is done meanwhile.
        if isFirst {
            #expect(throws: Never.self) {
                try FileManager.default.moveItem(atPath: other, toPath: path)
            }
        }
        isFirst = false
    }
    #expect(!isFirst && set.isComplete(in: path))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["set"])
}

@Test func developmentImagesAreHeldOutByName() throws {
    let folder = try TemporaryFolder()
    let path = try makeScenes(folder)
    try FileManager.default.removeItem(atPath: "\(path)/dev")
    var settings = settings
    settings.developmentFraction = 0.34
    settings.backgroundClass = true
    let data = try ImageDataset(path, configuration: settings, seed: 5)
    let again = try ImageDataset(path, configuration: settings, seed: 5)
    let training = Set(data.training.entries.map(\.name))
    let development = Set(data.development.entries.map(\.name))
    #expect(training.isDisjoint(with: development))
    // One of the three images of each class.
    #expect(training.count == 20 && development.count == 10)
    #expect(Set(data.development.entries.map(\.label)) == Set(1...10))
    #expect(Array(again.development.entries) == Array(data.development.entries))
    let (_, alone) = try ImageDataset.subset("dev", of: path, configuration: settings, seed: 5)
    #expect(Array(alone.entries) == Array(data.development.entries))
}

@Test(arguments: [Augmentation.none, .randomArea], [1, 3])
func batchesComeInOrderWhateverLoadsThem(augmentation: Augmentation, workers: Int) throws {
    let folder = try TemporaryFolder()
    let path = try makeScenes(folder)
    var settings = settings
    (settings.augmentation, settings.workers) = (augmentation, workers)
    let set = try ImageDataset(path, configuration: settings, seed: 0).training
    let requests = [[3, 1, 4], [1, 5], [9, 2, 6, 29], []]
    func load(_ requests: [[Int]], _ settings: DataConfiguration) throws -> [ImageBatch] {
        let loader = BatchLoader(set, configuration: settings, seed: 2) {
            $0 < requests.count ? BatchRequest(entries: requests[$0], augmentation: 8) : nil
        }
        var batches: [ImageBatch] = []
        while let batch = try loader.next() { batches.append(batch) }
        return batches
    }
    let batches = try load(requests, settings)
    #expect(batches.map(\.entries) == requests)
    // An image and its crop depend on nothing but the image: alone or among others, any worker.
    settings.workers = 1
    let alone = try load(requests.flatMap { $0.map { [$0] } }, settings)
    #expect(alone.flatMap(\.images) == batches.flatMap(\.images))
    #expect(alone.flatMap(\.labels) == batches.flatMap(\.labels))
    #expect(alone[1].images == alone[3].images)
}

/// Asked again, a loader neither waits nor goes on.
@Test(arguments: [1, 3]) func afterTheEndALoaderSaysTheSame(workers: Int) throws {
    let folder = try TemporaryFolder()
    let path = try makeScenes(folder)
    var settings = settings
    settings.workers = workers
    let set = try ImageDataset(path, configuration: settings, seed: 0).training
    func loader() -> BatchLoader {
        BatchLoader(set, configuration: settings, seed: 2) {
            $0 < 2 ? BatchRequest(entries: [$0], augmentation: nil) : nil
        }
    }
    let whole = loader()
    for entry in 0..<2 { #expect(try whole.next()?.entries == [entry]) }
    for _ in 0..<3 { #expect(try whole.next()?.entries == nil) }
    try Data("no image".utf8).write(to: URL(fileURLWithPath: set.path(1)))
    let broken = loader()
    #expect(try broken.next()?.entries == [0])
    for _ in 0..<3 {
        #expect {
            _ = try broken.next()
        } throws: {
            "\($0)".contains(set.path(1))
        }
    }
}

@Test func standardizationIsUndoneByItsReverse() {
    let bytes: [UInt8] = [0, 128, 255, 12, 99, 200]
    var values = [Float](repeating: 0, count: 6)
    Preparation.standardize(bytes, into: &values, at: 0)
    #expect(abs(values[0] - (0 - 0.485) / 0.229) < 1e-5)
    #expect(abs(values[4] - (99.0 / 255 - 0.456) / 0.224) < 1e-5)
    let back = Preparation.unstandardized(values)
    for (byte, value) in zip(bytes, back) { #expect(abs(value * 255 - Float(byte)) < 1e-3) }
}
