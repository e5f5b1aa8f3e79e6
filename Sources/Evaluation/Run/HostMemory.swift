import Configuration
import Foundation
import Layers
import Models

/// What can be said of memory before any is taken: what is larger than the host's is refused in one
/// line, where the system would end the process in the middle.
public enum HostMemory {
    /// Why a batch does not fit, of which one layer's values alone are larger than the memory.
    ///
    /// - Parameters:
    ///   - images: On this process.
    ///   - channels: Of the layer.
    ///   - numberByteCount: Bytes of one value.
    public static func problem(
        images: Int, imageSize: Int, channels: Int, numberByteCount: Int = 4
    ) -> String? {
        let side = Double(imageSize)
        let valueCount = Double(images) * side * side * Double(channels)
        guard let problem = problem(valueCount * Double(numberByteCount)) else { return nil }
        return "\(images) images of \(imageSize)² pixels \(problem)"
    }

    /// Refuses a model whose parameters, gradients and momentum are larger than the memory.
    public static func requireRoom(for layout: ParameterLayout) throws(ConfigurationError) {
        let count = layout.parameters.reduce(0.0) { $0 + Double($1.count) }
        guard let problem = problem(12 * count) else { return }
        throw ConfigurationError(
            key: "model",
            String(format: "has %.3g parameters, which \(problem); give fewer channels", count))
    }

    private static func problem(_ byteCount: Double) -> String? {
        let memory = Double(MemoryLimit.byteCount)
        guard byteCount > memory else { return nil }
        return String(
            format: "need more than the %.1f GB that this host or its job may use", memory / 1e9)
    }
}
