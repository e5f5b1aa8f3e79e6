import Collectives
import Dispatch
import Layers
import Synchronization
import Tensors

/// What one step had to do with other ranks, and for how long.
struct StepCommunication: Sendable {
    /// A sum of losses or of a batch norm.
    struct NormSum: Sendable {
        let byteCount: Int
        /// The seconds of computing since the sum before, or since the step began.
        let computeSeconds: Double
        /// The seconds in which the step could not go on.
        let waitSeconds: Double
    }

    /// The sums of losses and batch norms, in their order.
    var normSums: [NormSum] = []
    /// Seconds of computing after the last of them.
    var lastSeconds = 0.0
    /// Seconds in which it could not go on, as it waited for the sum of gradients.
    var gradientSeconds = 0.0
    /// Seconds in which gradients were summed beside the backward pass.
    var hiddenSeconds = 0.0
    /// For how many seconds the backward pass went on after each piece of the gradients was
    /// complete.
    var slackSeconds: [Double] = []

    /// Seconds in which the step could not go on, as it waited for sums of losses and of batch
    /// norms.
    var normSeconds: Double { normSums.reduce(0) { $0 + $1.waitSeconds } }
    /// The seconds of computing before each time that the step meets the other ranks.
    var computeSeconds: [Double] { normSums.map(\.computeSeconds) + [lastSeconds] }
    /// All seconds in which the step could not go on.
    var waitSeconds: Double { normSeconds + gradientSeconds }
}

/// What a step asks of the other ranks: sums of batch norms and losses at once, and the sum of the
/// gradients, which begins piece by piece while the backward pass goes on.
///
/// Pieces begin in the order of the flat buffer, which is that of the backward pass, on all ranks
/// alike. A vector of one piece is summed at the end: there is nothing to do beside it.
final class StepReducer: SumReducer {
    private let communicator: any Communicator
    private let store: ParameterStore
    private let ranges: [Range<Int>]
    private let pieces: [Range<Int>]
    private let state = Mutex(State())
    /// Numbers of a piece.
    private static let pieceCount = SumSize.pieceByteCount / MemoryLayout<Float>.stride

    private struct State {
        /// Gradients of each piece that are still to come.
        var missing: [Int] = []
        var overlaps = false
        /// When each piece was complete.
        var completions: [UInt64] = []
        /// When the last sum of losses or of a batch norm was there, or the step began.
        var resumption: UInt64 = 0
        var report = StepCommunication()
    }

    /// - Parameter ranges: The parts of the flat buffers that are in training.
    init(_ communicator: any Communicator, store: ParameterStore, ranges: [Range<Int>]) {
        (self.communicator, self.store, self.ranges) = (communicator, store, ranges)
        pieces = ranges.flatMap { range in
            stride(from: range.lowerBound, to: range.upperBound, by: Self.pieceCount).map {
                $0..<min(range.upperBound, $0 + Self.pieceCount)
            }
        }
    }

    /// Starts a step.
    func begin(overlapping isAsked: Bool) {
        state.withLock {
            $0.missing = pieces.map(\.count)
            $0.completions = []
            $0.resumption = DispatchTime.now().uptimeNanoseconds
            $0.overlaps = isAsked && pieces.count > 1
            $0.report = StepCommunication()
        }
    }

    func sum(_ values: UnsafeMutableBufferPointer<Double>) throws {
        let arrival = DispatchTime.now().uptimeNanoseconds
        let (_, seconds) = try Stopwatch.time { try communicator.sum(values) }
        state.withLock {
            $0.report.normSums.append(
                .init(
                    byteCount: values.count * MemoryLayout<Double>.stride,
                    computeSeconds: Double(arrival - $0.resumption) * 1e-9, waitSeconds: seconds))
            $0.resumption = DispatchTime.now().uptimeNanoseconds
        }
    }

    func complete(_ gradients: Range<Int>) {
        state.withLock { state in
            for (index, piece) in pieces.enumerated() where piece.overlaps(gradients) {
                state.missing[index] -= gradients.clamped(to: piece).count
                precondition(
                    state.missing[index] >= 0, "gradients \(gradients) were complete before")
            }
            while state.completions.count < state.missing.count
                && state.missing[state.completions.count] == 0
            {
                completeNext(&state)
            }
        }
    }

    private func completeNext(_ state: inout State) {
        if state.overlaps {
            let piece = pieces[state.completions.count]
            communicator.beginSum(UnsafeMutableBufferPointer(rebasing: store.allGradients[piece]))
        }
        state.completions.append(DispatchTime.now().uptimeNanoseconds)
    }

    /// Waits for the sum of all gradients.
    func finish() throws -> StepCommunication {
        try state.withLock { state in
            // Of parameters that the pass has left out.
            while state.completions.count < state.missing.count { completeNext(&state) }
            let end = DispatchTime.now().uptimeNanoseconds
            state.report.lastSeconds = Double(end - state.resumption) * 1e-9
            state.report.slackSeconds = state.completions.map { Double(end - $0) * 1e-9 }
            let (busy, seconds) = try Stopwatch.time {
                if state.overlaps { return try communicator.finishSums() }
                for range in ranges {
                    try communicator.sum(
                        UnsafeMutableBufferPointer(rebasing: store.allGradients[range]))
                }
                return 0
            }
            state.report.gradientSeconds = seconds
            state.report.hiddenSeconds = max(0, busy - seconds)
            return state.report
        }
    }
}
