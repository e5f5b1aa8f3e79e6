import Foundation
import Tensors

/// Images to load together.
public struct BatchRequest: Sendable {
    /// Places in the image set.
    public let entries: [Int]
    /// The key of this epoch's augmentation; nil: as in evaluation.
    public let augmentation: UInt64?

    /// Names the images.
    public init(entries: [Int], augmentation: UInt64?) {
        (self.entries, self.augmentation) = (entries, augmentation)
    }
}

/// Loaded images.
public struct ImageBatch: Sendable {
    /// The images' places in the image set.
    public let entries: [Int]
    /// The images' labels.
    public let labels: [Int32]
    /// Standardised pixels, `[N, size, size, 3]`.
    public let images: [Float]
    /// The same in the size that patches are cut out of, `[N, S, S, 3]`; empty where that is the
    /// same.
    public let patchImages: [Float]
    /// Which part of each file they show.
    public let crops: [ImageCrop]

    /// The images that patches are cut out of.
    public var viewedImages: [Float] { patchImages.isEmpty ? images : patchImages }
}

/// Loads batches ahead of their use: a few threads decode into a bounded queue, and batches come
/// out in the order of the requests, whatever the number of threads.
public final class BatchLoader: Sendable {
    private let shared: Shared

    /// What the decoding threads and the consumer share.
    private final class Shared: @unchecked Sendable {
        let set: ImageSet
        let preparation: Preparation
        let seed: UInt64
        let requests: @Sendable (Int) -> BatchRequest?
        let depth: Int
        let condition = NSCondition()
        var nextRequest = 0
        var nextDelivery = 0
        var isClosed = false
        /// What the last delivery was, once there is none after it: nil or an error.
        var end: Result<ImageBatch?, ImagesError>?
        var ready: [Int: Result<ImageBatch?, ImagesError>] = [:]

        init(
            set: ImageSet, preparation: Preparation, seed: UInt64, depth: Int,
            requests: @escaping @Sendable (Int) -> BatchRequest?
        ) {
            (self.set, self.preparation, self.seed) = (set, preparation, seed)
            (self.depth, self.requests) = (depth, requests)
        }

        func load(
            _ request: BatchRequest, decoder: ImageDecoder
        ) throws(ImagesError) -> ImageBatch {
            let (size, patchSize) = preparation.sizes
            let count = request.entries.count
            var images = [Float](repeating: 0, count: count * size * size * 3)
            var patchImages = [Float](repeating: 0, count: count * patchSize * patchSize * 3)
            var (bytes, crops) = ([UInt8](), [ImageCrop]())
            for (index, entry) in request.entries.enumerated() {
                try set.read(entry, into: &bytes)
                let pixels = try decoder.decode(bytes, path: set.path(entry))
                let random = request.augmentation.map {
                    CounterRandom(
                        seed: seed, purpose: .augmentation, stream: $0, index: UInt64(entry))
                }
                crops.append(
                    preparation.prepare(
                        pixels, random: random, index: index, into: &images,
                        patches: &patchImages))
            }
            return ImageBatch(
                entries: request.entries, labels: request.entries.map { set.label($0) },
                images: images, patchImages: patchImages, crops: crops)
        }

        func work() {
            let decoder = ImageDecoder(preparation.configuration)
            while true {
                condition.lock()
                while !isClosed && nextRequest >= nextDelivery + depth { condition.wait() }
                let number = nextRequest
                nextRequest += 1
                let stop = isClosed
                condition.unlock()
                if stop || !loads(number, decoder: decoder) { return }
            }
        }

        /// Loads one batch; false where there is none, or an error.
        func loads(_ number: Int, decoder: ImageDecoder) -> Bool {
            var result: Result<ImageBatch?, ImagesError> = .success(nil)
            if let request = requests(number) {
                do {
                    result = .success(try load(request, decoder: decoder))
                } catch {
                    result = .failure(error)
                }
            }
            condition.lock()
            ready[number] = result
            condition.broadcast()
            condition.unlock()
            guard case .success(.some) = result else { return false }
            return true
        }
    }

    /// Whether no thread could be started, so that who wants a batch decodes it.
    private let hasNoThread: Bool

    /// Batches that are kept ready at most, unless told otherwise.
    public static let usualDepth = 3

    /// Bytes of a batch, and of all batches that are there at once: those ready, and one in use.
    public static func byteCount(
        images: Int, configuration: DataConfiguration
    ) -> (ofBatch: Int, all: Int) {
        let (size, patchSize) = Preparation(configuration).sizes
        let pixels = size * size + patchSize * patchSize
        let batch = images * pixels * 3 * MemoryLayout<Float>.stride
        return (batch, (usualDepth + 1) * batch)
    }

    /// Starts loading, on as many threads as the settings' `workers`; with none whoever wants a batch
    /// decodes it.
    ///
    /// - Parameters:
    ///   - seed: The run's seed, for augmentation.
    ///   - framing: Of images that are not augmented.
    ///   - depth: Batches that are kept ready at most.
    ///   - requests: The batch of each number from 0; nil after the last.
    public init(
        _ set: ImageSet, configuration: DataConfiguration, seed: UInt64, framing: Framing = .crop,
        depth: Int = usualDepth, requests: @escaping @Sendable (Int) -> BatchRequest?
    ) {
        shared = Shared(
            set: set, preparation: Preparation(configuration, framing: framing), seed: seed,
            depth: depth, requests: requests)
        var started = 0
        for _ in 0..<configuration.workers {
            do {
                try WorkerThread.start("images") { [shared] in shared.work() }
                started += 1
            } catch {
                // The others do its work; where there are none, whoever wants a batch does.
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

    /// The next batch, or nil after the last; waits until it is ready. After the end, or an error,
    /// it says the same again.
    public func next() throws(ImagesError) -> ImageBatch? {
        shared.condition.lock()
        defer { shared.condition.unlock() }
        while true {
            if let end = shared.end { return try end.get() }
            if let result = shared.ready.removeValue(forKey: shared.nextDelivery) {
                shared.nextDelivery += 1
                switch result {
                case .success(.some): break
                case .success(nil), .failure: (shared.end, shared.isClosed) = (result, true)
                }
                shared.condition.broadcast()
                return try result.get()
            }
            if !hasNoThread {
                shared.condition.wait()
                continue
            }
            let number = shared.nextDelivery
            shared.condition.unlock()
            _ = shared.loads(
                number, decoder: ImageDecoder(shared.preparation.configuration))
            shared.condition.lock()
        }
    }
}
