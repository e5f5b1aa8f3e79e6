import Collectives
import Configuration
import Families
import Files
import Foundation
import Images
import Models
import Terminal

/// What all ranks must have alike: a launcher can start each with another command, and each host
/// may have other files.
public enum RankAgreement {
    /// Something that has to be the same, and what it is on this rank.
    public typealias Fact = (name: String, value: String)

    /// Refuses a command of which the ranks have different words, before they do anything together.
    ///
    /// - Parameter words: What all must have been given.
    public static func requireCommand(
        _ words: [String], communicator: any Communicator
    ) throws {
        try require(
            [
                ("the program's version", Program.version),
                ("the command", words.joined(separator: " ")),
            ],
            communicator: communicator)
    }

    /// Compares facts, of which every rank gives the same names in the same order.
    ///
    /// - Parameter remedy: What to do where they differ.
    static func require(
        _ facts: [Fact], communicator: any Communicator,
        remedy: String = "start all ranks with the same command and files",
        exitCode: Terminal.ExitCode = .usage
    ) throws {
        guard communicator.size > 1 else { return }
        // 52 bits of each are exact in the sums.
        let digests = facts.map { Double(Checksum("\($0.name)\n\($0.value)").value >> 12) }
        let all = try communicator.gather(digests)
        let unlike = facts.indices.filter { index in all.contains { $0[index] != all[0][index] } }
        guard let first = unlike.first else { return }
        let values = try communicator.gather(facts[first].value)
        let more = unlike.dropFirst().prefix(4).map { facts[$0].name }
        throw RequestError(
            "\(facts[first].name) \(difference(values))"
                + (more.isEmpty ? "" : " (so are \(more.joined(separator: ", ")))")
                + "; \(remedy)", exitCode: exitCode)
    }

    /// "is 1 on ranks 0, 2 and 2 on rank 1".
    static func difference(_ values: [String]) -> String {
        var distinct: [String] = []
        for value in values where !distinct.contains(value) { distinct.append(value) }
        let groups = distinct.prefix(4).map { value in
            let ranks = values.indices.filter { values[$0] == value }
            return "\(value.isEmpty ? "nothing" : value) on \(RankArithmetic.list(ranks))"
        }
        return "is not the same on all ranks: \(groups.joined(separator: ", "))"
            + (distinct.count > groups.count ? " …" : "")
    }
}

extension Trainer {
    /// Refuses ranks of which one has other settings or options: they would train with each other's
    /// gradients, or wait for sums that never come.
    static func requireAgreement(
        _ configuration: RunConfiguration, _ options: TrainingOptions,
        communicator: any Communicator
    ) throws {
        // The same images may lie elsewhere on each host; how many threads read them is its own.
        let own = ["data.path", "data.workers"]
        let settings = try configuration.tree().settings.filter { !own.contains($0.key) }
        let given = [
            ("--stages", options.stages), ("--resume", options.resume),
            ("--init-from", options.initialWeights ?? ""),
            ("--max-steps", options.maximumSteps.map { "\($0)" } ?? ""),
            ("--validate", options.onlyValidates ? "given" : ""),
            ("data.path", configuration.data.path.isEmpty ? "" : "given"),
        ]
        try RankAgreement.require(
            given.map { (name: $0.0, value: $0.1) }
                + settings.map { (name: $0.key, value: $0.value) },
            communicator: communicator)
    }

    /// Refuses ranks that see other images.
    static func requireAgreement(
        on data: ImageDataset, communicator: any Communicator
    ) throws {
        let counts =
            "\(data.training.entries.count) training, \(data.development.entries.count) development, "
            + "\(data.validation.entries.count) validation images"
        try RankAgreement.require(
            [
                ("the classes", data.classes.joined(separator: " ")),
                ("the number of images", counts),
                ("the list of images", String(data.digest, radix: 16)),
            ], communicator: communicator,
            remedy: "give all hosts the same images (data.path), for example by one index of them",
            exitCode: .badData)
    }
}
