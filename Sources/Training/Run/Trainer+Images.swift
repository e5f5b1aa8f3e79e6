import Images

extension Trainer {
    /// Warns of what is not as the images' owner may think.
    static func tell(
        of data: ImageDataset, _ configuration: RunConfiguration, _ reporter: Reporter
    ) {
        for warning in data.warnings { reporter.warn(warning) }
        let settings = configuration.data
        if settings.augmentation == .none && settings.crop != CropConfiguration() {
            reporter.warn(
                "data.crop has no effect, as data.augmentation is none; give randomArea for it")
        }
        if configuration.evaluation.everyEpochs > 0 && data.development.entries.isEmpty {
            reporter.warn(
                "no development images, so that nothing is scored and no best.h5 comes; hold some "
                    + "out (data.developmentFraction, in an index --development-fraction), or give "
                    + "a folder dev")
        }
    }
}
