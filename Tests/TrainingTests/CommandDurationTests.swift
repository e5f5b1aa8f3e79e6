import Configuration
import Testing

@testable import Training

@Suite struct CommandDurationTests {
    @Test(arguments: [
        ("90", 90), ("0.5s", 0.5), ("45m", 2700), ("2h", 7200), ("1d", 86_400), ("10:30", 630),
        ("1:00:00", 3600), ("2-12:00:00", 216_000), ("1-0", 86_400), ("1-12", 129_600),
        ("1-12:30", 131_400),
    ])
    func durationsAreReadAsSchedulersWriteThem(text: String, seconds: Double) throws {
        #expect(try CommandDuration.seconds(text, option: "--time-limit") == seconds)
    }

    @Test(arguments: ["", "soon", "-5", "0", "1:2:3:4", "h", "1-2-3", "1::2", "nan"])
    func anythingElseIsAnError(text: String) {
        #expect(throws: ConfigurationError.self) {
            try CommandDuration.seconds(text, option: "--time-limit")
        }
    }
}
