import Foundation
import ONNXMessages

extension Onnx_AttributeProto {
    /// A setting of an operator.
    init(_ name: String, _ attribute: GraphBuilder.Attribute) {
        self.init()
        self.name = name
        switch attribute {
        case .integer(let number): (type, i) = (.int, Int64(number))
        case .integers(let numbers): (type, ints) = (.ints, numbers.map(Int64.init))
        case .number(let number): (type, f) = (.float, number)
        }
    }
}

extension Onnx_TensorProto {
    /// An array; ONNX keeps numbers in the order of bytes that this program runs on.
    init(_ name: String, shape: [Int], _ numbers: GraphBuilder.Constant) {
        self.init()
        (self.name, dims) = (name, shape.map(Int64.init))
        switch numbers {
        case .integers(let numbers): (dataType, rawData) = (.int64, Self.bytes(numbers))
        case .floats(let numbers): (dataType, rawData) = (.float, Self.bytes(numbers))
        case .doubles(let numbers): (dataType, rawData) = (.double, Self.bytes(numbers))
        }
    }

    private static func bytes<Number>(_ numbers: [Number]) -> Data {
        numbers.withUnsafeBytes { Data($0) }
    }
}

extension Onnx_ValueInfoProto {
    /// An input or output.
    init(
        _ name: String, _ kind: GraphBuilder.Kind, _ shape: [GraphBuilder.Dimension],
        _ about: String
    ) {
        self.init()
        (self.name, docString) = (name, about)
        switch kind {
        case .float: type.tensorType.elemType = .float
        case .integer: type.tensorType.elemType = .int64
        }
        type.tensorType.shape.dim = shape.map { dimension in
            var message = Onnx_TensorShapeProto.Dimension()
            switch dimension {
            case .images: message.dimParam = "N"
            case .size(let size): message.dimValue = Int64(size)
            }
            return message
        }
    }
}
