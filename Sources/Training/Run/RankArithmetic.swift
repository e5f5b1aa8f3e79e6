import Collectives
import Foundation
import Tensors

/// What each rank multiplies with: on hosts of several kinds the bits, and whether `bfloat16` can be
/// used, depend on it.
struct RankArithmetic: Sendable {
    /// What one rank computes with.
    struct Rank: Equatable, Sendable {
        /// Library and instruction set.
        let library: String
        let hasFastBFloat16: Bool
        let host: String
    }

    /// The ranks, in their order.
    let ranks: [Rank]

    init(_ ranks: [Rank]) { self.ranks = ranks }

    /// Asks all ranks, which all come here.
    init(_ communicator: any Communicator) throws {
        let own = [
            MatrixMultiply.hasFastBFloat16 ? "fast" : "slow", MatrixMultiply.libraryDescription,
            ProcessInfo.processInfo.hostName,
        ]
        ranks = try communicator.gather(own.joined(separator: "\n")).map { text in
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            return Rank(
                library: lines.count > 1 ? String(lines[1]) : "",
                hasFastBFloat16: lines[0] == "fast",
                host: lines.count > 2 ? String(lines[2]) : "")
        }
    }

    /// What to tell where not all ranks multiply alike; else nil.
    var warning: String? {
        var libraries: [String] = []
        for rank in ranks where !libraries.contains(rank.library) { libraries.append(rank.library) }
        guard libraries.count > 1 else { return nil }
        let groups = libraries.map { library in
            "\(name(ranks.indices.filter { ranks[$0].library == library })) with \(library)"
        }
        return
            "not all ranks multiply alike: \(groups.joined(separator: "; ")); the result is as good, "
            + "but its bits are those of this mix of hosts: take like ones, or export "
            + "SACCADER_GEMM=openblas and one OPENBLAS_CORETYPE for all"
    }

    /// "ranks 0 to 2, 5 on node1, node2".
    func name(_ numbers: [Int]) -> String {
        var hosts: [String] = []
        for number in numbers where !hosts.contains(ranks[number].host) {
            hosts.append(ranks[number].host)
        }
        let more = hosts.count > 4 ? " and \(hosts.count - 4) more hosts" : ""
        return "\(Self.list(numbers)) on " + hosts.prefix(4).joined(separator: ", ") + more
    }

    /// The ranks in words, such as "ranks 0 to 2, 5".
    static func list(_ numbers: [Int]) -> String {
        var runs: [ClosedRange<Int>] = []
        for number in numbers {
            if let last = runs.last, last.upperBound + 1 == number {
                runs[runs.count - 1] = last.lowerBound...number
            } else {
                runs.append(number...number)
            }
        }
        let list = runs.map { run in
            run.count == 1 ? "\(run.lowerBound)" : "\(run.lowerBound) to \(run.upperBound)"
        }
        return "\(numbers.count == 1 ? "rank" : "ranks") \(list.joined(separator: ", "))"
    }
}
