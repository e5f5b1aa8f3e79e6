import Families
import Models
import Synchronization
import Tensors

/// What this rank is doing right now, for whoever wants to know why nothing moves on.
final class Activity: Sendable {
    /// Something that a rank may get stuck in.
    enum Phase: Int, Codable, Sendable {
        case starting
        case readingSettings
        case writingDemonstration
        case listingImages
        case readingCheckpoint
        case loadingImages
        case computing
        case waitingForRanks
        case scoring
        case saving

        /// What a report says after "stuck".
        var description: String {
            switch self {
            case .starting: "preparing the run"
            case .readingSettings: "reading the settings"
            case .writingDemonstration: "writing the demonstration's images"
            case .listingImages: "listing the images"
            case .readingCheckpoint: "looking for a checkpoint"
            case .loadingImages: "waiting for images"
            case .computing: "computing"
            case .waitingForRanks: "waiting for the other ranks"
            case .scoring: "scoring the development images"
            case .saving: "writing to the output folder"
            }
        }
    }

    /// A rank's place at one moment.
    struct Moment: Codable, Equatable, Sendable {
        var phase: Phase
        /// Nil before the first step.
        var stage: String?
        var step: Int
        /// Changes whenever the rank has moved on.
        var progress: Int

        /// "stuck …": where in the run it is.
        var place: String {
            stage.map { "in stage \($0), step \(step + 1)" } ?? "at the start"
        }
    }

    private let moment = Mutex(Moment(phase: .starting, stage: nil, step: 0, progress: 0))
    private let workers = Mutex<ThreadPool?>(nil)

    /// The place now.
    var now: Moment {
        let workCount = workers.withLock { $0?.workCount ?? 0 }
        return moment.withLock { moment in
            var now = moment
            now.progress += workCount
            return now
        }
    }

    /// Counts what a pool's threads get done as moving on: within one step there may be nothing else
    /// for longer than anybody would wait.
    func watch(_ pool: ThreadPool) { workers.withLock { $0 = pool } }

    /// Moves on to the computation of a step.
    func begin(_ stage: Stage, step: Int) {
        moment.withLock {
            ($0.phase, $0.stage, $0.step) = (.computing, stage.name, step)
            $0.progress += 1
        }
    }

    /// Moves on within what is being done.
    func tick() { moment.withLock { $0.progress += 1 } }

    /// Says that `body` is what this rank does now.
    func during<Result>(_ phase: Phase, _ body: () throws -> Result) rethrows -> Result {
        let before = moment.withLock { moment in
            let before = moment.phase
            moment.phase = phase
            moment.progress += 1
            return before
        }
        defer {
            moment.withLock {
                $0.phase = before
                $0.progress += 1
            }
        }
        return try body()
    }
}
