import Host
import Images
import Layers
import Models
import Tensors
import Terminal

/// A checkpoint that says what is on pictures, batch by batch.
public final class PredictionRun {
    let options: PredictionOptions
    let names: LogitNames
    /// How many classes are told of each picture.
    let top: Int
    /// How many pictures there are; nil where a pipe will tell.
    public var count: Int? { source.count }
    /// What the user should know, a line each.
    public let warnings: [String]
    let pool: ThreadPool
    private let source: PictureSource
    private let checkpoint: OpenedCheckpoint
    /// Who chooses the glimpses; nil: the model is shown the picture as a whole.
    private let policy: Policy?
    private let glimpses: Int
    private let viewer: any Viewer
    private let batchSize: Int

    /// Opens a checkpoint, finds the pictures, and refuses what does not fit together.
    public init(_ options: PredictionOptions) throws {
        self.options = options
        checkpoint = try OpenedCheckpoint(
            options.checkpoint, centralCropMargin: options.centralCropMargin,
            acceptsEdited: options.acceptsEdited)
        let stored = checkpoint.stored
        names = LogitNames(checkpoint)
        top = min(options.top, checkpoint.model.classes)
        policy = stored.family.scoredPolicy(stored.stage)
        for (option, isGiven) in [
            ("glimpses", options.glimpses != nil), ("confidence", options.confidence != nil),
        ] where policy == nil && isGiven {
            throw RequestError(
                "--\(option): \(options.checkpoint) is of stage \(stored.stage.name), which takes "
                    + "no glimpses; leave --\(option) out")
        }
        let most = checkpoint.model.glimpseLimit
        glimpses = policy == nil ? 0 : options.glimpses ?? min(stored.trainedGlimpses, most)
        if policy != nil && glimpses > most {
            throw RequestError(
                "--glimpses: \(glimpses) is more than the \(most) glimpses that the model can "
                    + "take of a picture; ask for at most that many")
        }
        source = try PictureSource(options.pictures)
        var warnings = [checkpoint.warning].compactMap { $0 } + source.warnings
        if checkpoint.classes == nil {
            warnings.append(
                "\(options.checkpoint): is of an earlier program and holds no names of classes: they "
                    + "are named by number")
        }
        if let policy, !policy.isLearned {
            warnings.append(
                "\(options.checkpoint): of stage \(stored.stage.name), it has not learned where to "
                    + "look: its glimpses follow the policy \(policy.rawValue)")
        }
        self.warnings = warnings
        let shard = Evaluator.shardSize
        batchSize = max(1, min(options.batchSize, source.count ?? options.batchSize))
        let capacity = (batchSize + shard - 1) / shard * shard
        try checkpoint.requireMemory(images: capacity)
        MatrixMultiply.useOneThread()
        let pool = ThreadPool(threadCount: options.threadCount)
        self.pool = pool
        let (model, seed, sequence) = (checkpoint.model, checkpoint.settings.seed, glimpses)
        let policies = policy.map { [$0: 1] } ?? [:]
        func viewer(_ store: ParameterStore, images: Int) throws -> any Viewer {
            try model.viewer(
                ViewPlan(
                    store: store, pool: pool, imageCapacity: images, shardSize: shard,
                    glimpses: sequence, policies: policies, seed: seed))
        }
        let planned = ParameterStore(planning: checkpoint.model.layout)
        try HostMemory.requireMemory(
            forImages: capacity, option: "--batch-size", remedy: "more memory"
        ) { try viewer(planned, images: $0).byteCount + stored.store.byteCount }
        self.viewer = try viewer(stored.store, images: capacity)
    }

    /// Predicts all pictures.
    ///
    /// - Parameter take: Gets each batch in the order of the source; false ends the run.
    public func run(_ take: ([Prediction]) throws -> Bool) throws {
        try viewer.readParameters()
        let loader = PictureLoader(
            source,
            preparation: Preparation(
                checkpoint.settings.data.forModel(checkpoint.model), framing: options.framing),
            batchSize: batchSize, workers: options.threadCount)
        var done = 0
        while true {
            let batch = try loader.next()
            if batch.isEmpty { break }
            let predictions = try predictions(batch, after: done)
            done += batch.count
            guard try take(predictions) else { break }
        }
    }

    private func predictions(_ batch: [LoadedPicture], after done: Int) throws -> [Prediction] {
        let readable = batch.indices.compactMap { place in
            batch[place].readable.map { (place: place, content: $0) }
        }
        var views: [ModelOutput] = []
        if !readable.isEmpty {
            views = try viewer(
                ViewedImages(
                    standardized: readable.flatMap(\.content.values),
                    patchImages: readable.flatMap(\.content.patchValues),
                    pixels: [[Float]](repeating: [], count: readable.count),
                    identifiers: readable.map { done + $0.place }),
                wantsMap: options.wantsMaps)
        }
        var rest = views[...]
        return try batch.enumerated().map { place, picture in
            let answer: Result<Prediction.Answer, ImagesError>
            switch picture.content {
            case .success(let content):
                let view = rest.removeFirst()
                try check(view, of: picture.file)
                answer = .success(self.answer(view, content))
            case .failure(let error): answer = .failure(error)
            }
            return Prediction(
                number: done + place + 1, file: picture.file, data: checkpoint.settings.data,
                answer: answer)
        }
    }

    private func check(_ view: ModelOutput, of file: PictureFile) throws(RequestError) {
        do throws(LogitsError) {
            try LogitsError.check(view, image: file.name)
        } catch {
            throw RequestError("\(options.checkpoint): \(error)", exitCode: .badData)
        }
    }

    private func answer(_ view: ModelOutput, _ content: LoadedPicture.Content) -> Prediction.Answer
    {
        let size = checkpoint.model.viewedImageSize
        let look = policy.flatMap { view.sequences[$0]?.first }
        let steps = (look?.predictions ?? [view.whole ?? []]).map(Confidence.probabilities)
        let threshold = options.confidence.map(Confidence.millionths)
        let taken =
            threshold.map {
                Confidence.glimpses(steps.map { $0.max() ?? 0 }, threshold: $0)
            } ?? steps.count
        let probabilities = steps[taken - 1]
        // The logits tell apart what is alike in millionths.
        let logits = look?.predictions[taken - 1] ?? view.whole ?? []
        let order = logits.indices.sorted {
            logits[$0] != logits[$1] ? logits[$0] > logits[$1] : $0 < $1
        }
        let covered = look?.coveredPixels(imageSize: size)[taken - 1] ?? size * size
        return Prediction.Answer(
            candidates: order.prefix(top).map {
                Prediction.Candidate(
                    label: $0, name: names[$0], probability: probabilities[$0])
            },
            glimpses: look == nil ? 0 : taken, coverage: Double(covered) / Double(size * size),
            crop: content.crop, height: content.height, width: content.width,
            windows: Array(look?.windows.prefix(taken) ?? []), context: look?.context ?? [],
            showsPath: look?.showsPath ?? false, map: view.map,
            values: content.viewedValues)
    }
}
