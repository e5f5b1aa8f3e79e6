import Foundation
import ONNXMessages

/// A value in a graph, by its name.
struct GraphValue: Hashable, Sendable {
    let name: String
}

/// Writes a graph of ONNX's operators, one after the other.
///
/// A layer reads its weights by their paths in a checkpoint; those that nothing reads are left out.
struct GraphBuilder {
    /// A setting of an operator.
    enum Attribute {
        case integer(Int)
        case integers([Int])
        case number(Float)
    }

    /// Numbers that are no weights.
    enum Constant: Hashable {
        case integers([Int])
        case floats([Float])
        case doubles([Double])
    }

    /// The kinds of numbers of inputs and outputs.
    enum Kind {
        case float
        case integer
    }

    /// A size of an input or output.
    enum Dimension {
        /// A dimension of as many as there are images.
        case images
        case size(Int)
    }

    /// What is written so far.
    private(set) var graph = Onnx_GraphProto()
    private let weights: GraphWeights
    private var counts: [String: Int] = [:]
    private var constants: [[Int]: [Constant: GraphValue]] = [:]
    private var written: Set<String> = []

    /// An empty graph of a model with such numbers.
    init(_ weights: GraphWeights) { self.weights = weights }

    /// Adds an operator.
    ///
    /// - Parameter name: What to call it and its value; where it is taken, with a number.
    /// - Returns: Its only value.
    mutating func add(
        _ operation: String, _ inputs: [GraphValue],
        _ attributes: KeyValuePairs<String, Attribute> = [:], name: String? = nil
    ) -> GraphValue {
        add(operation, inputs, attributes, name: name, outputs: 1)[0]
    }

    /// Adds an operator that has several values.
    mutating func add(
        _ operation: String, _ inputs: [GraphValue],
        _ attributes: KeyValuePairs<String, Attribute>, name: String? = nil, outputs: Int
    ) -> [GraphValue] {
        let name = unique(name ?? operation)
        var node = Onnx_NodeProto()
        (node.opType, node.name) = (operation, name)
        node.input = inputs.map(\.name)
        node.output = outputs == 1 ? [name] : (0..<outputs).map { "\(name):\($0)" }
        node.attribute = attributes.map(Onnx_AttributeProto.init)
        graph.node.append(node)
        return node.output.map { GraphValue(name: $0) }
    }

    private mutating func unique(_ name: String) -> String {
        let count = counts[name, default: 0]
        counts[name] = count + 1
        return count == 0 ? name : "\(name)#\(count)"
    }

    /// The dimensions of a model's array.
    func shape(_ path: String) -> [Int] { weights.shape(path) }

    /// Whether the model has an array.
    func has(_ path: String) -> Bool { weights.contains(path) }

    /// A model's array.
    mutating func weight(_ path: String) -> GraphValue {
        guard let array = weights.arrays[path] else {
            preconditionFailure("the model has no \(path)")
        }
        if written.insert(array.name).inserted {
            graph.initializer.append(
                Onnx_TensorProto(array.name, shape: array.shape, .floats(array.values)))
        }
        return GraphValue(name: array.name)
    }

    /// Numbers that do not change; equal ones are written once.
    ///
    /// - Parameter shape: Nil: one dimension.
    mutating func constant(_ constant: Constant, shape: [Int]? = nil) -> GraphValue {
        let shape = shape ?? [constant.count]
        precondition(shape.reduce(1, *) == constant.count, "\(shape) of \(constant.count) numbers")
        if let known = constants[shape]?[constant] { return known }
        let value = GraphValue(name: unique("constant"))
        graph.initializer.append(Onnx_TensorProto(value.name, shape: shape, constant))
        constants[shape, default: [:]][constant] = value
        return value
    }

    /// Adds an input of images, `[N, …]`.
    mutating func input(_ name: String, _ shape: [Int], about: String) -> GraphValue {
        graph.input.append(
            Onnx_ValueInfoProto(name, .float, [.images] + shape.map { .size($0) }, about))
        return GraphValue(name: unique(name))
    }

    /// Adds an output, `[N, …]`.
    mutating func output(
        _ name: String, _ value: GraphValue, _ shape: [Int], _ kind: Kind = .float, about: String
    ) {
        graph.output.append(
            Onnx_ValueInfoProto(name, kind, [.images] + shape.map { .size($0) }, about))
        _ = add("Identity", [value], name: name)
    }
}

extension GraphBuilder.Constant {
    var count: Int {
        switch self {
        case .integers(let numbers): numbers.count
        case .floats(let numbers): numbers.count
        case .doubles(let numbers): numbers.count
        }
    }
}
