import Collectives
import Models
import Tensors

extension Precision {
    /// What the run uses: `bfloat16` only where every rank's processor and library have fast
    /// products of it.
    func agreed(_ arithmetic: RankArithmetic) -> Precision {
        arithmetic.ranks.allSatisfy(\.hasFastBFloat16) ? self : .float32
    }

    /// What to tell when that is not what was asked for; else nil.
    func warning(_ arithmetic: RankArithmetic) -> String? {
        guard self != agreed(arithmetic) else { return nil }
        let ranks = arithmetic.ranks
        let lacking = ranks.indices.filter { !ranks[$0].hasFastBFloat16 }
        let library = lacking.first.map { ranks[$0].library } ?? ""
        return "precision: bfloat16 is fast only on a processor with AVX512-BF16, or AMX and "
            + "oneDNN, which \(arithmetic.name(lacking)) \(lacking.count == 1 ? "has" : "have") not "
            + "(\(library)); going on in float32\(ranks.count > 1 ? ", all ranks alike" : "")"
    }
}
