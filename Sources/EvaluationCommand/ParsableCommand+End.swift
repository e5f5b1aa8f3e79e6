import ArgumentParser
import Foundation
import Terminal

extension ParsableCommand {
    /// Ends the program as the parser would, which does not notice whether help or a version that
    /// was asked for could be written.
    public static func end(_ error: any Error) -> Never {
        let code = exitCode(for: error)
        let text = fullMessage(for: error)
        if code.isSuccess {
            do {
                // Help that was asked for on every rank is printed once.
                if !text.isEmpty, !LauncherRank.isEcho { try Console.print(text) }
            } catch {
                Console.say("\(_commandName): \(error)")
                Foundation.exit(error.exitCode.rawValue)
            }
        } else if !text.isEmpty {
            LauncherRank.giveWay()
            Console.say(LauncherRank.prefix + text)
        }
        Foundation.exit(code.rawValue)
    }
}
