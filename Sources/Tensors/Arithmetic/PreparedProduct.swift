#if canImport(ConeDNN)
    import ConeDNN

    extension OneDNN {
        /// A product of fixed sizes, compiled by oneDNN once and run many times.
        final class PreparedProduct {
            private let primitive: dnnl_primitive_t
            private let arguments: [dnnl_exec_arg_t]

            init(_ key: Key, engine: dnnl_engine_t) {
                let isTransposed = key.form == .transposed
                let left = OneDNN.matrix(
                    rows: key.rows, columns: key.inner,
                    rowStride: isTransposed ? 1 : key.inner,
                    columnStride: isTransposed ? key.rows : 1, isNarrow: key.isNarrow)
                let right =
                    isTransposed
                    ? OneDNN.matrix(
                        rows: key.inner, columns: key.columns, rowStride: key.columns,
                        columnStride: 1, isNarrow: key.isNarrow)
                    : Self.packedLayout(
                        inner: key.inner, columns: key.columns, isNarrow: key.isNarrow,
                        engine: engine)
                let result = OneDNN.matrix(
                    rows: key.rows, columns: key.columns, rowStride: key.columns,
                    columnStride: 1, isNarrow: key.finish != nil && key.isNarrow)
                let bias = OneDNN.matrix(
                    rows: 1, columns: key.columns, rowStride: key.columns, columnStride: 1,
                    isNarrow: false)
                let description = Self.plan(
                    left, right, result, bias: key.finish == nil ? nil : bias,
                    adding: key.adding, finish: key.finish, engine)
                defer { dnnl_primitive_desc_destroy(description) }
                var primitive: dnnl_primitive_t?
                check(dnnl_primitive_create(&primitive, description), "preparing a product")
                guard let primitive else { Contract.fail("oneDNN gave no product") }
                self.primitive = primitive
                var operands = [
                    (DNNL_ARG_SRC_0, left), (DNNL_ARG_WEIGHTS_0, right), (DNNL_ARG_DST_0, result),
                ]
                if let finish = key.finish {
                    operands.append((DNNL_ARG_BIAS, bias))
                    if finish.adds {
                        // The second source of the first operation that follows the product.
                        operands.append(
                            (DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE | DNNL_ARG_SRC_1, result))
                    }
                }
                arguments = operands.map { name, layout in
                    var (layout, memory) = (layout, dnnl_memory_t?.none)
                    check(dnnl_memory_create(&memory, &layout, engine, nil), "naming an operand")
                    return dnnl_exec_arg_t(arg: name, memory: memory)
                }
            }

            deinit {
                for argument in arguments { dnnl_memory_destroy(argument.memory) }
                dnnl_primitive_destroy(primitive)
            }

            func run(_ operands: Operands, stream: dnnl_stream_t) {
                dnnl_memory_set_data_handle(arguments[0].memory, operands.left)
                dnnl_memory_set_data_handle(arguments[1].memory, operands.right)
                dnnl_memory_set_data_handle(arguments[2].memory, operands.result)
                if arguments.count > 3 {
                    dnnl_memory_set_data_handle(arguments[3].memory, operands.bias)
                }
                if arguments.count > 4 {
                    dnnl_memory_set_data_handle(arguments[4].memory, operands.added)
                }
                check(
                    dnnl_primitive_execute(
                        primitive, stream, Int32(arguments.count), arguments), "a product")
            }

            /// Rows for which the layout of weights is chosen: a chunk's.
            private static let layoutRows = 256

            /// The blocks that oneDNN likes `[inner, columns]` weights in.
            static func packedLayout(
                inner: Int, columns: Int, isNarrow: Bool, engine: dnnl_engine_t
            ) -> dnnl_memory_desc_t {
                let left = OneDNN.matrix(
                    rows: layoutRows, columns: inner, rowStride: inner, columnStride: 1,
                    isNarrow: isNarrow)
                var weights = dnnl_memory_desc_t()
                check(
                    dnnl_memory_desc_init_by_tag(
                        &weights, 2, [Int64(inner), Int64(columns)],
                        isNarrow ? dnnl_bf16 : dnnl_f32, dnnl_format_tag_any),
                    "describing weights")
                let result = OneDNN.matrix(
                    rows: layoutRows, columns: columns, rowStride: columns, columnStride: 1,
                    isNarrow: false)
                let description = plan(left, weights, result, engine)
                defer { dnnl_primitive_desc_destroy(description) }
                guard
                    let layout = dnnl_primitive_desc_query_md(
                        description, dnnl_query_weights_md, 0)
                else { Contract.fail("oneDNN names no layout of weights") }
                return layout.pointee
            }

            private static func plan(
                _ left: dnnl_memory_desc_t, _ right: dnnl_memory_desc_t,
                _ result: dnnl_memory_desc_t, bias: dnnl_memory_desc_t? = nil,
                adding: Bool = false, finish: Finish? = nil, _ engine: dnnl_engine_t
            ) -> dnnl_primitive_desc_t? {
                var (left, right, result) = (left, right, result)
                var attributes: dnnl_primitive_attr_t?
                check(dnnl_primitive_attr_create(&attributes), "attributes")
                defer { dnnl_primitive_attr_destroy(attributes) }
                var operations: dnnl_post_ops_t?
                check(dnnl_post_ops_create(&operations), "operations")
                defer { dnnl_post_ops_destroy(operations) }
                if adding {
                    check(dnnl_post_ops_append_sum(operations, 1), "adding to a result")
                }
                if let finish, finish.adds {
                    check(
                        dnnl_post_ops_append_binary(operations, dnnl_binary_add, &result),
                        "adding a value")
                }
                if let finish, finish.rectifies {
                    check(
                        dnnl_post_ops_append_eltwise(operations, 1, dnnl_eltwise_relu, 0, 0),
                        "rectifying")
                }
                check(
                    dnnl_primitive_attr_set_post_ops(attributes, operations),
                    "what follows a product")
                var product = dnnl_matmul_desc_t()
                if var bias {
                    check(
                        dnnl_matmul_desc_init(&product, &left, &right, &bias, &result),
                        "describing a product")
                } else {
                    check(
                        dnnl_matmul_desc_init(&product, &left, &right, nil, &result),
                        "describing a product")
                }
                var description: dnnl_primitive_desc_t?
                check(
                    dnnl_primitive_desc_create(&description, &product, attributes, engine, nil),
                    "planning a product")
                return description
            }
        }
    }
#endif
