import Layers
import Tensors

/// Which values of a training step's forward pass stay in memory until its backward pass.
///
/// A block's output is a sum of values that stay anyway, so it is summed again when the backward
/// pass comes to its readers; a sum needs the block's input unless the shortcut is projected, so
/// all blocks from one projection to the next are summed together. The last ones are the backward
/// pass's first, which gains nothing from giving them back. The stem, block 0's first convolution
/// and its projection have the largest outputs and take 3 % of the forward pass's arithmetic: they
/// are computed again too, unless all blocks are one run: then the backward pass's first layers
/// need the projection's output already, for its norm's sums. Where all this is small, or the
/// network's first blocks are frozen, everything stays that the backward pass reads.
struct KeptValues: Sendable {
    /// Up to this many numbers in the stem's output memory is not worth the time (measured: a step
    /// 1.08 times as long on the demonstration's network, 1.03 times on the paper's, whose stem has
    /// 3 million an image: with up to five images all stays, in 1.6 GB).
    private static let smallCount = 1 << 24

    /// The first blocks of the runs of blocks that are summed together, and the number of blocks.
    private let starts: [Int]
    private let keepsActivations: Bool
    private let sparesMemory: Bool
    /// Whether the stem, block 0's first convolution and its projection stay.
    let keepsEntry: Bool
    /// The first block that is trained.
    private let firstTrained: Int

    init<Element>(
        _ blocks: [Bottleneck<Element>], stem: Shape, frozen: FrozenParts, in workspace: Workspace
    ) {
        firstTrained = frozen.blocks
        keepsActivations = workspace.keepsActivations
        sparesMemory =
            !frozen.stem && (workspace.sparesMemory ?? (stem.count > Self.smallCount))
        starts =
            blocks.indices.filter { $0 == 0 || blocks[$0].projection != nil } + [blocks.count]
        let isOneRun = starts.count <= 2
        keepsEntry =
            keepsActivations && (!sparesMemory || isOneRun || blocks.first?.projection == nil)
    }

    /// Whether the first convolution's and the projection's output of block `index` stay.
    func inner(of index: Int) -> Bool {
        index >= firstTrained && (index == 0 ? keepsEntry : keepsActivations)
    }

    /// Whether what block `index` reads stays: the stem's output or the previous block's.
    func input(of index: Int) -> Bool {
        if index < firstTrained { return false }
        if index == 0 { return keepsEntry }
        return keepsActivations && (!sparesMemory || index > (starts.dropLast().last ?? 0))
    }

    /// The blocks whose outputs are summed again before the backward pass of block `index`.
    func summedAgain(before index: Int) -> Range<Int> {
        guard sparesMemory, index > 0, index < starts[starts.count - 1],
            let position = starts.firstIndex(of: index)
        else { return index..<index }
        return starts[position - 1]..<index
    }

    /// Whether the stem and block 0's projection are computed again before the backward pass of
    /// block `index`: where block 0's output is summed.
    func entersAgain(before index: Int) -> Bool {
        !keepsEntry && index == starts.dropFirst().first
    }
}
