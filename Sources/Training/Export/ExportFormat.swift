/// What an exported folder is for.
public enum ExportFormat: String, CaseIterable, Sendable {
    /// Weights as safetensors and a program for PyTorch.
    case pytorch
    /// Graphs of ONNX's operators.
    case onnx
}
