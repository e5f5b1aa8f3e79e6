import Foundation

/// What this process has taken of the machine, as the kernel counts it.
public struct ProcessUsage {
    /// The most bytes that were resident at one time.
    public let peakByteCount: Int
    /// Seconds that its threads have spent on a core.
    public let cpuSeconds: Double

    /// The process's usage as of now.
    public init() {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        peakByteCount = usage.ru_maxrss * 1024
        cpuSeconds = [usage.ru_utime, usage.ru_stime].reduce(0) {
            $0 + Double($1.tv_sec) + 1e-6 * Double($1.tv_usec)
        }
    }
}
