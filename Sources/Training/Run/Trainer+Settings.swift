import Configuration
import Files
import Foundation

extension Trainer {
    /// Writes the resolved settings into the output folder; the user's own file, where `--config`
    /// names it there, is kept under another name.
    func writeSettings() throws {
        let path = "\(options.output)/config.yaml"
        let text = try configuration.tree().yaml()
        if let given = options.configurationPath, AtomicFile.isSame(given, path),
            try ConfigurationFile.text(path) != text, let kept = try AtomicFile.setAside(path)
        {
            reporter.warn(
                "\(path) is to hold all settings, and is the file given with --config: that is kept "
                    + "as \(kept)")
        }
        try AtomicFile.write(path, text: text)
    }
}
