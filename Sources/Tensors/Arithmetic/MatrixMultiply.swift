import COpenBLAS
import Foundation

#if canImport(ConeDNN)
    import ConeDNN
#endif

/// A row-major matrix in memory: element (i, j) is `start[i * stride + j]`.
public struct Matrix {
    /// Element (0, 0).
    public let start: UnsafeMutablePointer<Float>
    /// The distance of neighbouring rows, in elements.
    public let stride: Int

    /// Describes a matrix whose rows lie `stride` elements apart.
    public init(_ start: UnsafeMutablePointer<Float>, stride: Int) {
        self.start = start
        self.stride = stride
    }
}

/// The seam behind which the matrix libraries stand: single-threaded products, summed in `Float`.
///
/// Threads are ours (`ThreadPool`): they split shards, never one product, so a product's bits
/// depend on its operands and sizes alone. Large layers go through `PackedMatrix`; what is here
/// multiplies in OpenBLAS.
public enum MatrixMultiply {
    /// What multiplies the layers' matrices.
    public enum Library: Sendable {
        /// This program's own kernels.
        case own
        case openBLAS
        case oneDNN
    }

    /// This program's own kernels on processors of the kind x86-64; oneDNN where the program was
    /// built with it and the processor has AMX, which only that uses; else OpenBLAS. The
    /// environment's `SACCADER_GEMM` chooses `own`, `onednn` or `openblas` where they can run.
    public static let library: Library = {
        let wanted = ProcessInfo.processInfo.environment["SACCADER_GEMM"]
        #if canImport(ConeDNN)
            if wanted == "onednn" ? OneDNN.hasVectors512 : wanted == nil && OneDNN.hasTiles {
                return .oneDNN
            }
        #endif
        #if arch(x86_64)
            if wanted != "openblas" { return .own }
        #endif
        return .openBLAS
    }()

    /// Whether products of `BFloat16` are faster here than those of `Float`.
    public static var hasFastBFloat16: Bool {
        switch library {
        case .own: return OwnProducts.hasPairs
        case .openBLAS: return false
        case .oneDNN:
            #if canImport(ConeDNN)
                return OneDNN.hasBFloat16
            #else
                return false
            #endif
        }
    }

    /// Whether packed weights are a copy, which the library reads in an order of its own.
    public static var copiesWeights: Bool { library != .openBLAS }

    /// The library and the instruction set that it chose, for the log.
    public static var libraryDescription: String {
        if library == .own { return OwnProducts.description }
        #if canImport(ConeDNN)
            if library == .oneDNN { return OneDNN.description }
        #endif
        return "OpenBLAS \(String(cString: openblas_get_corename()))"
    }

    /// Keeps the libraries from starting threads of their own; every thread of ours calls it.
    public static func useOneThread() {
        openblas_set_num_threads(1)
        #if canImport(ConeDNN)
            OneDNN.useOneThread()
        #endif
    }

    /// `result = left · right`, or `result += left · right` where `adding`;
    /// left `[rows, inner]`, right `[inner, columns]`, result `[rows, columns]`.
    public static func product(
        _ left: Matrix, _ right: Matrix, into result: Matrix,
        rows: Int, columns: Int, inner: Int, adding: Bool = false
    ) {
        call(
            CblasNoTrans, CblasNoTrans, left, right, result, rows, columns, inner, adding)
    }

    /// `result (+)= left · rightᵀ`; left `[rows, inner]`, right `[columns, inner]`.
    public static func product(
        _ left: Matrix, transposed right: Matrix, into result: Matrix,
        rows: Int, columns: Int, inner: Int, adding: Bool = false
    ) {
        call(
            CblasNoTrans, CblasTrans, left, right, result, rows, columns, inner, adding)
    }

    /// `result (+)= leftᵀ · right`; left `[inner, rows]`, right `[inner, columns]`.
    public static func product(
        transposed left: Matrix, _ right: Matrix, into result: Matrix,
        rows: Int, columns: Int, inner: Int, adding: Bool = false
    ) {
        call(
            CblasTrans, CblasNoTrans, left, right, result, rows, columns, inner, adding)
    }

    private static func call(
        _ transposeLeft: CBLAS_TRANSPOSE, _ transposeRight: CBLAS_TRANSPOSE,
        _ left: Matrix, _ right: Matrix, _ result: Matrix,
        _ rows: Int, _ columns: Int, _ inner: Int, _ adding: Bool
    ) {
        cblas_sgemm(
            CblasRowMajor, transposeLeft, transposeRight,
            blasint(rows), blasint(columns), blasint(inner),
            1, left.start, blasint(left.stride), right.start, blasint(right.stride),
            adding ? 1 : 0, result.start, blasint(result.stride))
    }
}
