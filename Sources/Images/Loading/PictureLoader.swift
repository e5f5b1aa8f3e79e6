import Foundation
import Tensors

/// A picture as the network sees it, or why there is none.
public struct LoadedPicture: Sendable {
    /// What was read.
    public struct Content: Sendable {
        /// Standardised pixels, `[size, size, 3]`.
        public let values: [Float]
        /// The same in the size that patches are cut out of; empty where that is the same.
        public let patchValues: [Float]
        /// Which part of the picture they show.
        public let crop: ImageCrop
        /// The picture's height, in pixels.
        public let height: Int
        /// The picture's width, in pixels.
        public let width: Int

        /// What patches are cut out of.
        public var viewedValues: [Float] { patchValues.isEmpty ? values : patchValues }
    }

    /// Where it lies.
    public let file: PictureFile
    /// What was read, or what was wrong.
    public let content: Result<Content, ImagesError>

    /// What was read, if anything.
    public var readable: Content? {
        if case .success(let content) = content { return content }
        return nil
    }
}

/// Loads pictures ahead of their use, each on one of a few threads; they come out in the order of
/// the source, whatever the number of threads, and no more are in memory than two batches.
public final class PictureLoader: Sendable {
    private let shared: Shared
    /// Whether no thread could be started, so that who wants pictures loads them.
    private let hasNoThread: Bool

    private final class Shared: @unchecked Sendable {
        let source: PictureSource
        let preparation: Preparation
        let batchSize: Int
        /// Held while the source is read, which may take long.
        let turn = NSLock()
        let condition = NSCondition()
        var taken = 0
        var delivered = 0
        var isWaiting = false
        var isClosed = false
        var failure: ImagesError?
        var ready: [Int: LoadedPicture] = [:]

        init(_ source: PictureSource, preparation: Preparation, batchSize: Int) {
            (self.source, self.preparation, self.batchSize) = (source, preparation, batchSize)
        }

        private func locked<Value>(_ body: () -> Value) -> Value {
            condition.lock()
            defer {
                condition.broadcast()
                condition.unlock()
            }
            return body()
        }

        /// The next of the source and its number; nil after the last.
        private func take() -> (number: Int, file: PictureFile)? {
            turn.lock()
            defer { turn.unlock() }
            condition.lock()
            while !isClosed && taken >= delivered + 2 * batchSize { condition.wait() }
            let isDone = isClosed
            condition.unlock()
            if isDone { return nil }
            do throws(ImagesError) {
                let file = try source.next { isWaiting in locked { self.isWaiting = isWaiting } }
                return locked {
                    guard let file else {
                        isClosed = true
                        return nil
                    }
                    defer { taken += 1 }
                    return (taken, file)
                }
            } catch {
                locked { (failure, isClosed) = (error, true) }
                return nil
            }
        }

        private func load(
            _ file: PictureFile, _ decoder: ImageDecoder
        ) throws(ImagesError) -> LoadedPicture.Content {
            let pixels = try file.pixels(decoder)
            let (size, patchSize) = preparation.sizes
            var values = [Float](repeating: 0, count: size * size * 3)
            var patchValues = [Float](repeating: 0, count: patchSize * patchSize * 3)
            let crop = preparation.prepare(
                pixels, random: nil, index: 0, into: &values, patches: &patchValues)
            return LoadedPicture.Content(
                values: values, patchValues: patchValues, crop: crop, height: pixels.height,
                width: pixels.width)
        }

        /// Loads one picture; says whether there was one.
        func loadsOne(_ decoder: ImageDecoder) -> Bool {
            guard let (number, file) = take() else { return false }
            let content = Result { () throws(ImagesError) in try load(file, decoder) }
            locked { ready[number] = LoadedPicture(file: file, content: content) }
            return true
        }

        /// - Parameter decoder: Where there is no thread: pictures are loaded here, one by one, as a
        ///   pipe may not have a second one before the first is answered.
        func next(_ decoder: ImageDecoder?) throws(ImagesError) -> [LoadedPicture] {
            if let decoder { _ = loadsOne(decoder) }
            condition.lock()
            defer { condition.unlock() }
            var batch: [LoadedPicture] = []
            while batch.count < (decoder == nil ? batchSize : 1) {
                if let picture = ready.removeValue(forKey: delivered) {
                    delivered += 1
                    batch.append(picture)
                    condition.broadcast()
                    continue
                }
                // Whoever writes paths into a pipe may wait for the answer before the next.
                let isAtEnd = isClosed || (isWaiting && !batch.isEmpty)
                if isAtEnd && delivered == taken { break }
                condition.wait()
            }
            if batch.isEmpty, let failure { throw failure }
            return batch
        }
    }

    /// Starts loading.
    ///
    /// - Parameters:
    ///   - batchSize: Pictures that `next` gives at most.
    ///   - workers: Threads.
    public init(
        _ source: PictureSource, preparation: Preparation, batchSize: Int, workers: Int
    ) {
        shared = Shared(source, preparation: preparation, batchSize: batchSize)
        var started = 0
        for _ in 0..<max(1, workers) {
            do {
                try WorkerThread.start("pictures") { [shared] in
                    let decoder = ImageDecoder(preparation.configuration)
                    while shared.loadsOne(decoder) {}
                }
                started += 1
            } catch {
                // The others do its work; where there are none, whoever wants pictures does.
                break
            }
        }
        hasNoThread = started == 0
    }

    deinit {
        shared.condition.lock()
        shared.isClosed = true
        shared.condition.broadcast()
        shared.condition.unlock()
    }

    /// The next pictures, fewer than a batch where a pipe has no more for now; none after the last.
    public func next() throws(ImagesError) -> [LoadedPicture] {
        try shared.next(hasNoThread ? ImageDecoder(shared.preparation.configuration) : nil)
    }
}
