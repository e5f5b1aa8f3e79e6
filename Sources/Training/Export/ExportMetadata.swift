import Checkpoints
import Foundation
import Models
import Tensors
import Terminal

/// What an exported file says of itself, as safetensors has it: texts by name.
///
/// The names are those of a checkpoint's root attributes, so that nothing is lost on the way back.
struct ExportMetadata {
    /// The texts by name.
    let texts: [String: String]

    /// Collects what is said of a checkpoint.
    ///
    /// - Parameter pixels: The scale that the network expects.
    init(_ header: CheckpointHeader, family: String, pixels: PixelScale) {
        func list(_ numbers: [Double]) -> String {
            "[\(numbers.map { "\($0)" }.joined(separator: ", "))]"
        }
        var texts = [
            "format": "pt", "layout": "NCHW, kernels OIHW",
            "exportedBy": "saccader-dist \(Program.version)", "program": header.program,
            "config": header.config, "family": family, "stage": header.stage,
            "step": "\(header.step)", "epoch": "\(header.epoch)", "samples": "\(header.samples)",
            "seed": "\(header.seed)", "worldSize": "\(header.worldSize)",
            "mean": list(pixels.mean),
            "deviation": list(pixels.deviation),
        ]
        texts["classes"] = header.classes.map(KnownClass.json)
        texts["developmentAccuracy"] = header.developmentAccuracy.map { "\($0)" }
        texts["epochSamples"] = header.epochSamples.map { "\($0)" }
        texts["classWeights"] = header.classWeights.map(list)
        if header.average.isModel { texts["weights"] = "ema" }
        for (name, digest) in [
            ("training", header.images?.training), ("development", header.images?.development),
        ] {
            guard let digest else { continue }
            texts["\(name)Images"] = "\(digest.count)"
            texts["\(name)ImagesDigest"] = digest.digest
        }
        self.texts = texts
    }

    /// Takes the texts of a file.
    init(_ texts: [String: String]) { self.texts = texts }

    /// A text that is missing or not what it should be.
    struct Problem: Error {
        /// What is wrong.
        let reason: String
    }

    private func need(_ name: String) throws(Problem) -> String {
        guard let text = texts[name] else { throw Problem(reason: "lacks \(name)") }
        return text
    }

    private func integer(_ name: String) throws(Problem) -> Int {
        guard let number = Int(try need(name)) else {
            throw Problem(reason: "has \(name) that is no whole number")
        }
        return number
    }

    private func decoded<Value: Decodable>(
        _ name: String, _: Value.Type
    ) throws(Problem) -> Value? {
        guard let text = texts[name] else { return nil }
        do { return try JSONDecoder().decode(Value.self, from: Data(text.utf8)) } catch {
            throw Problem(reason: "has \(name) that cannot be read")
        }
    }

    /// The checkpoint that a file was made of.
    func header() throws(Problem) -> CheckpointHeader {
        var header = CheckpointHeader(
            config: try need("config"), family: try need("family"), stage: try need("stage"),
            step: try integer("step"), epoch: try integer("epoch"),
            samples: try integer("samples"), seed: try integer("seed"),
            worldSize: try integer("worldSize"), program: try need("program"),
            developmentAccuracy: try decoded("developmentAccuracy", Double.self),
            classes: try decoded("classes", [KnownClass].self),
            epochSamples: try decoded("epochSamples", Int.self))
        header.classWeights = try decoded("classWeights", [Double].self)
        header.average.isModel = texts["weights"] == "ema"
        if texts["trainingImages"] != nil {
            func digest(_ name: String) throws(Problem) -> ListDigest {
                ListDigest(
                    count: try integer("\(name)Images"),
                    digest: try need("\(name)ImagesDigest"))
            }
            header.images = SeenImages(
                training: try digest("training"), development: try digest("development"))
        }
        return header
    }
}
