import Files
import Models

/// Where a run's figures go: `metrics.jsonl`, and for programs that watch it an event log and a
/// Prometheus file, which never end a training.
final class TrainingLog {
    let metrics: MetricsLog
    private var events: EventLog?
    private let prometheus: PrometheusFile?
    private let warn: (String) -> Void
    /// Whether the last Prometheus file could not be written.
    private var isPrometheusFailing = false

    /// Takes up the log, and begins what the options ask for beside it.
    ///
    /// - Parameters:
    ///   - makeEvents: Nil: no event log.
    ///   - warn: Told what is wrong and what follows.
    init(
        _ metrics: MetricsLog, prometheus: PrometheusFile?, makeEvents: (() throws -> EventLog)?,
        warn: @escaping (String) -> Void
    ) {
        (self.metrics, self.prometheus, self.warn) = (metrics, prometheus, warn)
        guard let makeEvents else { return }
        do { events = try makeEvents() } catch {
            warn("\(error); going on without files for TensorBoard")
        }
    }

    /// Writes a line.
    func write(_ fields: [(String, MetricsValue)]) {
        metrics.write(fields)
        toEvents { try $0.write(fields) }
        do {
            try prometheus?.write(fields)
            isPrometheusFailing = false
        } catch {
            if !isPrometheusFailing {
                warn(
                    "--prometheus: \(error.path): cannot be written: \(error.reason); going on, the file "
                        + "stays as it was")
            }
            isPrometheusFailing = true
        }
    }

    /// Shows pictures of a step, which are made only where somebody watches.
    func show(at position: Position, _ pictures: () throws -> [EventEncoder.Picture]) {
        toEvents { try $0.write(pictures(), at: position) }
    }

    private func toEvents(_ body: (EventLog) throws -> Void) {
        guard let events else { return }
        do { try body(events) } catch { warn("\(error); going on without it in TensorBoard") }
    }

    /// Tells of what could not be written, once until it works again.
    func warnOfFailures() {
        for failure in [metrics.takeFailure(), events?.takeFailure()] {
            if let failure { warn("\(failure); going on, its lines are kept and written later") }
        }
    }

    /// Has all lines flushed to the disk; an error where some of `metrics.jsonl` are lost.
    func finish() throws(FileError) {
        do throws(FileError) { try events?.finish() } catch {
            warn("\(error); TensorBoard shows the run without its last lines")
        }
        try metrics.finish()
    }
}
