import CZlib
import Foundation

/// The handwritten digits that ship with the program (see NOTICE): 500 of each class, 28×28 grey
/// pixels, sorted by class, in MNIST's IDX format, gzipped.
struct Digits: Sendable {
    static let side = 28
    static let perClass = 500

    /// `[5000, 28, 28]`, 0 is background.
    private let pixels: [UInt8]

    init() throws(ImagesError) {
        let name = "digits-images-idx3-ubyte.gz"
        guard
            let path = Bundle.module.path(
                forResource: "Resources/\(name)", ofType: nil),
            let file = gzopen(path, "rb")
        else { throw .resource(name: name) }
        defer { gzclose(file) }
        let headerCount = 16
        let count = 10 * Self.perClass * Self.side * Self.side
        var bytes = [UInt8](repeating: 0, count: headerCount + count)
        guard gzread(file, &bytes, UInt32(bytes.count)) == Int32(bytes.count),
            bytes.prefix(4).elementsEqual([0, 0, 8, 3])
        else { throw .resource(name: name) }
        pixels = Array(bytes.dropFirst(headerCount))
    }

    /// The darkness of a pixel, 0–1.
    ///
    /// - Parameters:
    ///   - digit: 0–9.
    ///   - index: 0–499, which of the class.
    func value(digit: Int, index: Int, y: Int, x: Int) -> Float {
        let image = digit * Self.perClass + index
        return Float(pixels[(image * Self.side + y) * Self.side + x]) / 255
    }
}
