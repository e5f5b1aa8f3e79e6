import Foundation
import TestSupport
import Testing

@testable import Checkpoints

/// A run's averaged weights in files of their own.
@Suite struct AveragedCheckpointTests {
    private func image(_ path: String, isAverage: Bool) throws -> FileImage {
        var header = CheckpointHeader(
            config: "{}", stage: "joint", step: 1, epoch: 0, samples: 0, seed: 0, worldSize: 1,
            program: "")
        header.average.isModel = isAverage
        header.average.updates = isAverage ? nil : 7
        header.average.developmentAccuracy = isAverage ? nil : 0.5
        header.classWeights = isAverage ? nil : [0.1, 2, 1e-5]
        return try [Float](repeating: 1, count: 4).withUnsafeBufferPointer {
            try Checkpoint.image(
                header, arrays: [CheckpointArray("/ema/a", shape: [4], values: $0)], for: path)
        }
    }

    @Test func aHeaderIsReadAsItWasWritten() throws {
        let folder = try TemporaryFolder()
        for isAverage in [true, false] {
            let path = folder.path("\(isAverage).h5")
            try image(path, isAverage: isAverage).write(to: path)
            let checkpoint = try Checkpoint(reading: path)
            try checkpoint.verify()
            #expect(checkpoint.header.average.isModel == isAverage)
            #expect(checkpoint.header.average.updates == (isAverage ? nil : 7))
            #expect(checkpoint.header.average.developmentAccuracy == (isAverage ? nil : 0.5))
            #expect(checkpoint.header.classWeights == (isAverage ? nil : [0.1, 2, 1e-5]))
            #expect(try checkpoint.checksummedCount() == 1)
        }
    }

    @Test(arguments: [true, false]) func onlyTheBestOfThemIsKept(hasLinks: Bool) throws {
        let folder = try TemporaryFolder()
        let checkpoints = CheckpointFolder(folder.path)
        func write(_ step: Int, isBest: Bool) throws {
            let name = CheckpointFolder.name(stage: "joint", step: step)
            try checkpoints.write(name, try image(name, isAverage: false))
            if isBest {
                try checkpoints.writeBest(
                    averagedBeside: name, try image(name, isAverage: true))
                if !hasLinks {
                    // As on a file system without symbolic links.
                    try FileManager.default.removeItem(atPath: folder.path("best.h5"))
                    try FileManager.default.linkItem(
                        atPath: folder.path(CheckpointFolder.averagedName(name)),
                        toPath: folder.path("best.h5"))
                }
            }
            try checkpoints.prune(keep: 1, stages: ["joint"])
        }
        try write(1, isBest: true)
        try write(2, isBest: true)
        try write(3, isBest: false)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(
            files == ["best.h5", "joint-00000002-ema.h5", "joint-00000003.h5", "last.h5"])
        #expect(try Checkpoint(reading: folder.path("best.h5")).header.average.isModel)
        // A run does not go on from averaged weights.
        let newest = try checkpoints.newest(stages: ["joint"], warn: { _ in })
        #expect(newest?.header.average.isModel == false)
        #expect(try checkpoints.names(stages: ["joint"]) == ["joint-00000003.h5"])
    }
}
