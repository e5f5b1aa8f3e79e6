import Configuration
import Host
import Layers

extension HostMemory {
    /// Refuses a model whose parameters, gradients and momentum are larger than the memory.
    public static func requireMemory(for layout: ParameterLayout) throws(ConfigurationError) {
        let count = layout.parameters.reduce(0.0) { $0 + Double($1.count) }
        guard let problem = problem(12 * count) else { return }
        throw ConfigurationError(
            key: "model",
            String(format: "has %.3g parameters, which \(problem); give fewer channels", count))
    }
}
