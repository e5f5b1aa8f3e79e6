import Layers
import Models

extension RepresentationNetwork.Buffers {
    /// The network's arrays of a trace.
    func trace(imageCount: Int) -> [TracedArray] {
        [
            TracedArray("representation/features", features, imageCount: imageCount),
            TracedArray("representation/what", what, imageCount: imageCount),
            TracedArray(
                "representation/logits2d", Activation(final: logits), imageCount: imageCount),
        ]
    }
}

extension Saccader.LocationBuffers {
    /// The attention network's array of a trace; none where the network is left out.
    func trace(imageCount: Int) -> [TracedArray] {
        attention.last.map {
            [TracedArray("attention/where", $0.output, imageCount: imageCount)]
        } ?? []
    }
}
