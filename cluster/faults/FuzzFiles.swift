import Foundation

/// The settings that made-up text is laid over.
private struct Settings: Codable {
    struct Inner: Codable {
        var rate = 0.5
        var steps = 3
        var name = "a"
        var isOn = false
        var list = [1, 2]
    }
    var inner = Inner()
    var seed: UInt64 = 0
    var words = ["a": 1.0]
}

/// Bytes that libFuzzer made up, as a file for the reader that `FUZZ_READER` names: an error of the
/// module is as good an answer as content.
@_cdecl("LLVMFuzzerTestOneInput")
public func readFuzzed(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Data(UnsafeBufferPointer(start: start, count: count))
    let path = "/dev/shm/saccader-fuzz-\(getpid())"
    do {
        switch ProcessInfo.processInfo.environment["FUZZ_READER"] {
        case "yaml":
            var tree = try ConfigurationTree(defaults: Settings())
            try tree.overlay(yaml: String(decoding: bytes, as: UTF8.self), source: path)
            _ = try (tree.decode(Settings.self), tree.yaml(), tree.json())
        case "safetensors":
            try bytes.write(to: URL(fileURLWithPath: path))
            let file = try SafetensorsFile(path)
            for array in file.arrays { _ = try file.floats(array) }
        case "checkpoint":
            try bytes.write(to: URL(fileURLWithPath: path))
            let checkpoint = try Checkpoint(reading: path)
            try checkpoint.verify()
        default: exit(64)
        }
    } catch {
        precondition(!"\(error)".isEmpty)
    }
    return 0
}
