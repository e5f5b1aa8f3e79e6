import ArgumentParser

/// The standalone evaluation program.
@main
struct SaccaderEval: ParsableCommand {
    func run() throws {}
}
