import Foundation
import Terminal

/// What can be said of memory before any is taken: what is larger than the host's is refused in one
/// line, where the system would end the process in the middle.
public enum HostMemory {
    /// Bytes of a process that has planned nothing yet: libraries, their buffers and stacks.
    public static let programByteCount = 100 << 20

    /// Bytes that `processes` processes of this host, of which this is one, may use together.
    public static func byteCount(processes: Int) -> Int {
        let own = MemoryLimit.ofProcess.map { $0.multipliedReportingOverflow(by: processes) }
        guard let own, !own.overflow else { return MemoryLimit.byteCount }
        return min(MemoryLimit.byteCount, own.partialValue)
    }

    /// The processes of this host that the same launcher started, this one among them.
    public static var processCount: Int {
        let environment = ProcessInfo.processInfo.environment
        return environment["OMPI_COMM_WORLD_LOCAL_SIZE"].flatMap { Int($0) }.map { max(1, $0) } ?? 1
    }

    /// Why a batch does not fit, of which one layer's values alone are larger than the memory: known
    /// before anything is planned, whatever the settings.
    ///
    /// - Parameters:
    ///   - images: On this process.
    ///   - channels: Of the layer.
    ///   - numberByteCount: Bytes of one value.
    public static func problem(
        images: Int, imageSize: Int, channels: Int, numberByteCount: Int = 4
    ) -> String? {
        let side = Double(imageSize)
        let valueCount = Double(images) * side * side * Double(channels)
        guard let problem = problem(valueCount * Double(numberByteCount)) else { return nil }
        return "\(images) images of \(imageSize)² pixels \(problem)"
    }

    /// Refuses images of which the plan is larger than this process's part of the memory.
    ///
    /// - Parameters:
    ///   - images: Looked at together.
    ///   - option: What says how many.
    ///   - remedy: What else makes it smaller.
    ///   - need: Bytes of the plan for so many images, none of which are taken.
    public static func requireMemory(
        forImages images: Int, option: String, remedy: String, need: (_ images: Int) throws -> Int
    ) throws {
        let processes = processCount
        let available = byteCount(processes: processes) / processes
        let bytes = try need(images) + programByteCount
        guard bytes > available else { return }
        let most = try mostThatFits(below: images) { try need($0) + programByteCount <= available }
        let advice = most.map { "give at most \($0), or \(remedy)" } ?? "give \(remedy)"
        throw RequestError(
            "\(option): \(images) images at a time need \(gigabytes(bytes)), more than the "
                + "\(gigabytes(available)) that this process may use; \(advice)")
    }

    /// The largest number that fits, or nearly so; nil where not even 1 does.
    ///
    /// - Parameter fits: True for all numbers up to some, and for none above.
    public static func mostThatFits(
        below limit: Int, _ fits: (Int) throws -> Bool
    ) rethrows -> Int? {
        guard limit > 1, try fits(1) else { return nil }
        var (low, high) = (1, limit)
        while high - low > max(0, low / 16) && high - low > 1 {
            let middle = low + (high - low) / 2
            if try fits(middle) { low = middle } else { high = middle }
        }
        return low
    }

    /// A number of bytes for people.
    public static func gigabytes(_ byteCount: Int) -> String {
        let gigabytes = Double(byteCount) / 1e9
        return String(format: gigabytes < 9.95 ? "%.2f GB" : "%.1f GB", gigabytes)
    }

    /// Why so many bytes cannot be had; nil where they can.
    public static func problem(_ byteCount: Double) -> String? {
        let memory = Double(MemoryLimit.byteCount)
        guard byteCount > memory else { return nil }
        return String(
            format: "need more than the %.1f GB that this host or its job may use", memory / 1e9)
    }
}
