import Checkpoints
import Evaluation
import Families
import Foundation
import Images
import Models
import ONNXGraphs
import StoredModels
import Tensors
import Terminal

/// The model card beside exported weights: what the checkpoint says, and nothing else.
struct ModelCard {
    /// The card in Markdown.
    let text: String

    /// What stands beside the card.
    enum Files {
        /// Weights and a program.
        case pytorch
        /// Graphs.
        case onnx([ModelGraph])
    }

    /// Writes the card of a checkpoint.
    init(_ header: CheckpointHeader, _ stored: StoredModel, _ files: Files) {
        let (model, data) = (stored.model, stored.settings.data)
        let layout = model.layout
        let family = Families.family(of: stored.stage)
        var figures = [
            ("trainable parameters", "\(layout.trainableCount)"),
            ("running statistics", "\(layout.statisticCount)"), ("classes", "\(model.classes)"),
            ("image", "\(model.imageSize)×\(model.imageSize) pixels"),
            ("stage", "\(header.stage), step \(header.step), epoch \(header.epoch)"),
            (
                "top-1 on the development images",
                header.developmentAccuracy.map { String(format: "%.2f %%", 100 * $0) }
                    ?? "not measured"
            ),
        ]
        if header.average.isModel { figures.append(("weights", "moving average of the run's")) }
        if let images = header.images {
            figures.append(("training images", "\(images.training.count)"))
            figures.append(("development images", "\(images.development.count)"))
        }
        let names = (header.classes ?? []).filter { !$0.name.isEmpty }.map(\.words)
        let shown = names.prefix(20).joined(separator: ", ")
        let classes =
            names.isEmpty
            ? "The checkpoint does not name its classes."
            : "Classes: \(shown)\(names.count > 20 ? " and \(names.count - 20) more" : "")."
        let provenance =
            switch files {
            case .pytorch:
                "`model.safetensors`; `saccader-dist import` makes\na checkpoint of it again."
            case .onnx: "the graphs."
            }
        text = """
            # \(family.title), exported from saccader-dist

            \(model.description.summary.sentence).

            | | |
            | --- | --- |
            \(figures.map { "| \($0.0) | \($0.1) |" }.joined(separator: "\n"))

            ## Use

            \(Self.use(files, data))

            It tells the classes below apart on pictures like those that it was trained on, and is
            meant for research on where models look. What it does on others has not been measured here.

            ## Data

            \(classes) Pixels are scaled to [0, 1], less the mean \(model.pixelScale.mean),
            over the deviation \(model.pixelScale.deviation); evaluation shows the central
            \(data.imageSize)/\(data.imageSize + data.centralCropMargin) of the shorter side.

            ## Provenance

            Program \(header.program.isEmpty ? "unknown" : header.program), seed \(header.seed), \
            \(header.worldSize) ranks, \(header.samples) images seen in the stage. The whole
            configuration stands in the metadata of \(provenance)

            """
    }

    /// How the files are used.
    private static func use(_ files: Files, _ data: DataConfiguration) -> String {
        switch files {
        case .pytorch:
            return """
                ```python
                import saccader
                model = saccader.load("model.safetensors")
                image = saccader.prepare("photo.jpg", model)
                ```

                or `python saccader.py photo.jpg`; both need PyTorch, and Pillow to read pictures.
                """
        case .onnx(let graphs):
            let list = graphs.map { "- `\($0.name).onnx`: \($0.about)." }.joined(separator: "\n")
            return """
                \(list)

                ```python
                import onnxruntime
                session = onnxruntime.InferenceSession("model.onnx")
                logits = session.run(["logits"], {"pixels": pixels})[0]
                ```

                `pixels` are red, green and blue as 32-bit floats from 0 to 255, `[N, 3, H, H]`, of the
                picture's middle as below, brought to H by bicubic resampling (`data.resize: \
                \(data.resize)`);
                mean and deviation are applied inside. The files say what their outputs are.
                """
        }
    }
}

extension String {
    /// The text with a capital at its start.
    fileprivate var sentence: String { prefix(1).uppercased() + dropFirst() }
}
