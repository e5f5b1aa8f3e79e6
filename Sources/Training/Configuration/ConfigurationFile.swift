import Configuration
import Foundation
import Terminal

/// A file of settings as a person may give it: a pipe such as `<(…)`, with or without a byte-order
/// mark.
enum ConfigurationFile {
    /// The file's text.
    ///
    /// - Throws: Where there is none or it cannot be read.
    static func text(_ path: String) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        var data: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure(path) }
            if count == 0 { break }
            data += piece.prefix(count)
        }
        // YAML 1.2, 5.2: a mark says which of Unicode's encodings it is.
        let encoding: String.Encoding =
            data.starts(with: [0xFF, 0xFE]) || data.starts(with: [0xFE, 0xFF]) ? .utf16 : .utf8
        guard let text = String(bytes: data, encoding: encoding) else {
            throw ConfigurationError("\(path): is not text in UTF-8: save it in that encoding")
        }
        return text
    }

    /// Refuses what can be read only once where several processes would read it.
    static func requireShared(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0 || path.hasPrefix("/dev/fd/") else { return }
        let kind = status.st_mode & S_IFMT
        guard kind != S_IFREG, kind != S_IFDIR else { return }
        throw ConfigurationError(
            "\(path): a pipe, which only one process can read: with several ranks give --config a "
                + "file")
    }

    private static func failure(_ path: String) -> any Error {
        let code = errno
        if code == ENOENT || code == ENOTDIR {
            return TrainingError.missingConfiguration(path: path)
        }
        return RequestError(
            "\(path): cannot be read: \(String(cString: strerror(code))); give --config a YAML file",
            exitCode: .missingInput)
    }
}
