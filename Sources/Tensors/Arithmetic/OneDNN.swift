#if canImport(ConeDNN)
    import ConeDNN
    import Foundation

    /// oneDNN's matrix products, single-threaded under our own pool.
    enum OneDNN {
        /// Whether the processor has AVX-512, without which oneDNN's products are slower.
        static let hasVectors512 = has(dnnl_cpu_isa_avx512_core)
        /// Whether the processor multiplies `BFloat16` in hardware.
        static let hasBFloat16 = has(dnnl_cpu_isa_avx512_core_bf16)
        /// Whether the processor multiplies tiles (AMX).
        static let hasTiles = has(dnnl_cpu_isa_avx512_core_amx)

        private static func has(_ set: dnnl_cpu_isa_t) -> Bool {
            dnnl_get_effective_cpu_isa().rawValue & set.rawValue == set.rawValue
        }

        /// Version and instruction set.
        static var description: String {
            let set =
                hasTiles
                ? "AMX" : hasBFloat16 ? "AVX512-BF16" : "AVX-512"
            return "\(name) \(set)"
        }

        /// The library and its version.
        static var name: String {
            let version = dnnl_version().map { "\($0.pointee.major).\($0.pointee.minor)" } ?? ""
            return "oneDNN \(version)"
        }

        /// Debian's build has OpenMP threads; each of our threads says that it wants one.
        static func useOneThread() {
            typealias Setter = @convention(c) (Int32) -> Void
            guard let symbol = dlsym(nil, "omp_set_num_threads") else { return }
            unsafeBitCast(symbol, to: Setter.self)(1)
        }

        /// Ends the program where oneDNN refuses: the numbers would be wrong from here on.
        ///
        /// Ends the program where a call failed; a build without checks takes a precondition for granted.
        static func check(_ status: dnnl_status_t, _ what: String) {
            guard status != dnnl_success else { return }
            let line = "oneDNN: \(what) gives status \(status.rawValue)\n"
            write(STDERR_FILENO, line, line.utf8.count)
            abort()
        }

        /// A dense or strided matrix `[rows, columns]` for oneDNN.
        static func matrix(
            rows: Int, columns: Int, rowStride: Int, columnStride: Int, isNarrow: Bool
        ) -> dnnl_memory_desc_t {
            var description = dnnl_memory_desc_t()
            check(
                dnnl_memory_desc_init_by_strides(
                    &description, 2, [Int64(rows), Int64(columns)],
                    isNarrow ? dnnl_bf16 : dnnl_f32, [Int64(rowStride), Int64(columnStride)]),
                "describing a matrix")
            return description
        }
    }

    extension OneDNN {
        /// Which operands a product has.
        enum Form: Hashable {
            /// left · packed weights.
            case packed
            /// leftᵀ · right, both dense.
            case transposed
        }

        /// All that a prepared product depends on.
        struct Key: Hashable {
            let form: Form
            let rows: Int
            let columns: Int
            let inner: Int
            let adding: Bool
            let isNarrow: Bool
            /// What follows before the result is written, in the operands' format; nil: nothing,
            /// and the result is in single precision.
            var finish: Finish?
        }

        /// `relu?(product + bias (+ added))`.
        struct Finish: Hashable {
            let adds: Bool
            let rectifies: Bool
        }

        /// Where a product's operands lie.
        struct Operands {
            let left: UnsafeMutableRawPointer
            let right: UnsafeMutableRawPointer
            let result: UnsafeMutableRawPointer
            var bias: UnsafeMutableRawPointer?
            var added: UnsafeMutableRawPointer?
        }

        /// One thread's access: its stream and the products that it has prepared.
        ///
        /// oneDNN keeps scratch memory for each thread that prepares a product, so a product runs
        /// on the thread that prepared it.
        final class Thread {
            private let engine: dnnl_engine_t
            private let stream: dnnl_stream_t
            private var products: [Key: PreparedProduct] = [:]

            private static let key: pthread_key_t = {
                var key = pthread_key_t()
                pthread_key_create(&key) { pointer in
                    guard let pointer else { return }
                    Unmanaged<Thread>.fromOpaque(pointer).release()
                }
                return key
            }()

            /// The calling thread's.
            static var current: Thread {
                if let pointer = pthread_getspecific(key) {
                    return Unmanaged<Thread>.fromOpaque(pointer).takeUnretainedValue()
                }
                let thread = Thread()
                pthread_setspecific(key, Unmanaged.passRetained(thread).toOpaque())
                return thread
            }

            private init() {
                OneDNN.useOneThread()
                var engine: dnnl_engine_t?
                check(dnnl_engine_create(&engine, dnnl_cpu, 0), "creating an engine")
                var stream: dnnl_stream_t?
                check(
                    dnnl_stream_create(&stream, engine, dnnl_stream_default_flags.rawValue),
                    "creating a stream")
                guard let engine, let stream else {
                    Contract.fail("oneDNN gave no engine")
                }
                (self.engine, self.stream) = (engine, stream)
            }

            deinit {
                products = [:]
                dnnl_stream_destroy(stream)
                dnnl_engine_destroy(engine)
            }

            func product(_ key: Key, _ operands: Operands) {
                if let product = products[key] {
                    return product.run(operands, stream: stream)
                }
                let product = PreparedProduct(key, engine: engine)
                products[key] = product
                product.run(operands, stream: stream)
            }

            /// Writes weights in the blocks that `Form.packed` reads.
            func pack(
                _ source: Matrix, transposed: Bool, inner: Int, columns: Int, isNarrow: Bool,
                into storage: UnsafeMutableRawPointer, byteCount: Int
            ) {
                var plain = OneDNN.matrix(
                    rows: inner, columns: columns, rowStride: transposed ? 1 : source.stride,
                    columnStride: transposed ? source.stride : 1, isNarrow: false)
                var blocks = PreparedProduct.packedLayout(
                    inner: inner, columns: columns, isNarrow: isNarrow, engine: engine)
                check(
                    dnnl_memory_desc_get_size(&blocks) <= byteCount
                        ? dnnl_success : dnnl_out_of_memory, "room for packed weights")
                var description: dnnl_primitive_desc_t?
                check(
                    dnnl_reorder_primitive_desc_create(
                        &description, &plain, engine, &blocks, engine, nil), "planning a packing")
                defer { dnnl_primitive_desc_destroy(description) }
                var primitive: dnnl_primitive_t?
                check(dnnl_primitive_create(&primitive, description), "preparing a packing")
                defer { dnnl_primitive_destroy(primitive) }
                var (from, to): (dnnl_memory_t?, dnnl_memory_t?) = (nil, nil)
                check(dnnl_memory_create(&from, &plain, engine, source.start), "naming weights")
                defer { dnnl_memory_destroy(from) }
                check(dnnl_memory_create(&to, &blocks, engine, storage), "naming a packing")
                defer { dnnl_memory_destroy(to) }
                let arguments = [
                    dnnl_exec_arg_t(arg: DNNL_ARG_SRC_0, memory: from),
                    dnnl_exec_arg_t(arg: DNNL_ARG_DST_0, memory: to),
                ]
                check(dnnl_primitive_execute(primitive, stream, 2, arguments), "packing")
            }
        }
    }
#endif
