import Checkpoints
import Models

extension Trainer {
    /// The log with what the settings and options ask for beside it.
    ///
    /// - Parameter position: Where a run of this folder goes on; nil: a new one begins.
    func trainingLog(_ metrics: MetricsLog, resumingAt position: Position?) -> TrainingLog {
        let makeEvents = { [configuration, options] in
            try EventLog(
                "\(options.output)/tensorboard", metrics: "\(options.output)/metrics.jsonl",
                resumingAt: position, settings: configuration.tree().yaml())
        }
        return TrainingLog(
            metrics,
            prometheus: options.prometheusPath.map { PrometheusFile($0, run: options.output) },
            makeEvents: configuration.log.tensorboard ? makeEvents : nil, warn: reporter.warn)
    }

    /// Shows what the model looks at now, where somebody watches: on the first rank, which alone has
    /// a log.
    func showPictures(at position: Position, _ log: TrainingLog?) {
        log?.show(at: position) {
            try scorer.sheets(position.stage, classes: classes.map(\.words)).map {
                EventEncoder.Picture(
                    tag: "dev/\($0.name)", png: $0.png, width: $0.width, height: $0.height)
            }
        }
    }
}
