import Foundation

/// Bytes that libFuzzer made up, for the reader that `FUZZ_READER` names: an error of the module is as
/// good an answer as content.
@_cdecl("LLVMFuzzerTestOneInput")
public func readFuzzed(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let name = ProcessInfo.processInfo.environment["FUZZ_READER"] ?? ""
    guard let reader = FuzzedBytes(rawValue: name) else { exit(64) }
    do throws(ImagesError) {
        try reader.read(Array(UnsafeBufferPointer(start: start, count: count)))
    } catch {
        precondition(error.description.contains(FuzzedBytes.path))
    }
    return 0
}
