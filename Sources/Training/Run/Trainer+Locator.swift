import Configuration
import Families

extension Trainer {
    /// Fills what is frozen from the checkpoint that the settings name; a run of other stages has
    /// nothing of the kind.
    func loadLocator() throws {
        guard stages.contains(where: Families.takesLocator) else { return }
        guard !configuration.glimpse.locator.isEmpty else {
            let problem = LocatorCheckpoint.missing
            throw ConfigurationError(key: problem.key, problem.message)
        }
        try activity.during(.readingCheckpoint) {
            let locator = try LocatorCheckpoint(
                configuration.glimpse.locator, acceptsEdited: options.acceptsEdited)
            try locator.requireClasses(model.classes, "the images have")
            try locator.load(into: store, of: model)
        }
    }
}
