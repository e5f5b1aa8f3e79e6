import Checkpoints
import Files
import Foundation

/// Memory, disk, clock and network.
extension Doctor {
    func sharedMemory() -> Finding {
        guard let bytes = Shell.freeBytes("/dev/shm") else {
            return Finding(
                .bad, "shared memory", "/dev/shm is missing",
                remedy: "mount a tmpfs there, or export OMPI_MCA_btl=self,tcp")
        }
        let text = String(format: "%.1f GB free in /dev/shm", Double(bytes) / 1e9)
        return bytes < 128 << 20
            ? Finding(
                .bad, "shared memory", text,
                remedy: "start the container with --shm-size 1g, or export OMPI_MCA_btl=self,tcp")
            : Finding(.good, "shared memory", text)
    }

    func disk() -> [Finding] {
        do {
            try AtomicFile.createFolder(output)
            let speed = try DiskSpeed(folder: output)
            let free = Shell.freeBytes(output) ?? 0
            let text = String(
                format: "%@: %.1f GB free, a checkpoint is written at %.0f MB/s, fsync %.1f ms",
                output, Double(free) / 1e9, speed.megabytesPerSecond,
                speed.synchronizeSeconds * 1e3)
            let isTight = free < 5 << 30
            let isSlow = speed.synchronizeSeconds > 1 || speed.megabytesPerSecond < 20
            let remedy =
                isTight
                ? "free space: the large model's checkpoints have 0.3 GB each"
                : "a slow disk stalls no step, but each checkpoint takes longer; --output DIR"
            return [
                isTight || isSlow
                    ? Finding(.slow, "disk", text, remedy: remedy) : Finding(.good, "disk", text),
                Finding(
                    .good, "HDF5",
                    "\(HDF5File.libraryVersion), the checkpoint read back is the one written"),
            ]
        } catch {
            return [Finding(.bad, "disk", "\(error)")]
        }
    }

    func clock() -> Finding {
        let path = "\(output)/.clock-\(getpid())"
        defer { unlink(path) }
        guard FileManager.default.createFile(atPath: path, contents: Data()) else {
            return Finding(.slow, "clock", "cannot be compared with the disk's")
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            return Finding(.slow, "clock", "cannot be compared with the disk's")
        }
        let skew = abs(Double(status.st_mtim.tv_sec) - Date().timeIntervalSince1970)
        return skew < 5
            ? Finding(.good, "clock", "agrees with the disk's")
            : Finding(
                .slow, "clock", String(format: "differs from the disk's by %.0f s", skew),
                remedy: "start an NTP client; training itself does not depend on clocks")
    }

    func interfaces() -> Finding {
        let names = Shell.addresses()
        let list = names.map { "\($0.name) \($0.address)" }.joined(separator: ", ")
        if let wanted = environment["OMPI_MCA_btl_tcp_if_include"] {
            return Finding(.good, "network", "\(list); mpirun is told to use \(wanted)")
        }
        guard names.count > 1 else {
            return Finding(.good, "network", list.isEmpty ? "none but loopback" : list)
        }
        // Bridges of containers and virtual machines have the same address on every host.
        let bridges = ["docker", "virbr", "br-", "cni", "podman", "lxc", "veth"]
        let real = names.filter { entry in !bridges.contains { entry.name.hasPrefix($0) } }
        return Finding(
            .slow, "network", list,
            remedy: "if mpirun hangs on several hosts: export OMPI_MCA_btl_tcp_if_include="
                + "\((real.first ?? names[0]).name) OMPI_MCA_oob_tcp_if_include="
                + (real.first ?? names[0]).name)
    }
}
