import Foundation
import Testing

@testable import Tensors

/// Kernels against loops, for channel counts with and without a rest beyond whole vectors.
@Suite struct KernelTests {
    private func numbers(_ count: Int, _ seed: UInt64) -> [Float] {
        var random = CounterRandom(seed: seed, purpose: .initialization)
        return (0..<count).map { _ in Float(random.uniform() * 4 - 2) }
    }

    private func stored<Element: StorageElement>(_ values: [Float], _: Element.Type) -> [Element] {
        values.map { Element(narrowing: $0) }
    }

    private func check<Element: StorageElement>(channels: Int, _ type: Element.Type) {
        let rows = 7
        let count = rows * channels
        let (main, residual) = (
            stored(numbers(count, 1), type), stored(numbers(count, 2), type)
        )
        let (scale, shift) = (numbers(channels, 3), numbers(channels, 4))
        let (factor, offset) = (numbers(channels, 5), numbers(channels, 6))
        let affine = RowKernels.Affine(scale: pointer(scale), shift: pointer(shift))
        let other = RowKernels.Affine(scale: pointer(factor), shift: pointer(offset))

        for isRectified in [false, true] {
            var applied = [Float](repeating: 9, count: count)
            RowKernels.apply(
                pointer(main), affine: affine, rectify: isRectified, rows: rows,
                channels: channels, into: &applied)
            for index in 0..<count {
                let value =
                    scale[index % channels] * main[index].widened + shift[index % channels]
                let expected = isRectified ? max(0, value) : value
                #expect(abs(applied[index] - expected) < 1e-5)
            }

            var sums = [Element](repeating: Element(narrowing: 9), count: count)
            SumKernels.addRectified(
                pointer(main), affine: affine, residual: pointer(residual),
                residualAffine: other, rectifyResidual: isRectified, rows: rows,
                channels: channels, into: &sums)
            for index in 0..<count {
                let channel = index % channels
                let value = factor[channel] * residual[index].widened + offset[channel]
                let carried = isRectified ? max(0, value) : value
                let sum = scale[channel] * main[index].widened + shift[channel] + carried
                #expect(abs(sums[index].widened - max(0, sum)) <= 1e-5 + abs(sum) / 128)
            }
        }

        checkGradients(rows: rows, channels: channels, main: main, scale: scale, shift: shift)

        var moments = [Double](repeating: 1, count: 2 * channels)
        let values = numbers(count, 9)
        var narrowed = [Element](repeating: Element(narrowing: 9), count: count)
        RowKernels.storeAddingMoments(
            pointer(values), rows: rows, channels: channels, to: &moments, into: &narrowed)
        for channel in 0..<channels {
            let column = (0..<rows).map { Double(values[$0 * channels + channel]) }
            #expect(abs(moments[channel] - 1 - column.reduce(0, +)) < 1e-4)
            let squares = column.reduce(0) { $0 + $1 * $1 }
            #expect(abs(moments[channels + channel] - 1 - squares) < 1e-4)
        }
        if Element.self == BFloat16.self {
            #expect(narrowed.map(\.widened) == values.map { BFloat16(narrowing: $0).widened })
        }
    }

    private func checkGradients<Element: StorageElement>(
        rows: Int, channels: Int, main: [Element], scale: [Float], shift: [Float]
    ) {
        let count = rows * channels
        let (gradient, other) = (numbers(count, 7), stored(numbers(count, 10), Element.self))
        let mean = numbers(channels, 8)
        let affine = RowKernels.Affine(scale: pointer(scale), shift: pointer(shift))
        for affine in [nil, affine] {
            let expected = (0..<count).map { index in
                let value =
                    affine == nil
                    ? main[index].widened
                    : scale[index % channels] * main[index].widened + shift[index % channels]
                return value > 0 ? gradient[index] : 0
            }
            let input = pointer(main)
            let mask = GradientKernels.Mask(input, affine: affine)
            // A ReLU on a norm's output is that of the norm whose sums are wanted.
            let normalized = affine == nil ? other : main
            var result = [Element](repeating: Element(narrowing: 9), count: count)
            GradientKernels.finish(
                pointer(gradient), mask: mask, rows: rows, channels: channels, into: &result)
            #expect(result.map(\.widened) == expected.map { Element(narrowing: $0).widened })

            var sums = [Double](repeating: 1, count: 2 * channels)
            result = [Element](repeating: Element(narrowing: 9), count: count)
            sums.withUnsafeMutableBufferPointer { sums in
                guard let base = sums.baseAddress else { return }
                let norm = GradientKernels.NormSums(
                    raw: affine == nil ? pointer(other) : input, mean: pointer(mean), sums: base)
                GradientKernels.finish(
                    pointer(gradient), mask: mask, norm: norm, rows: rows, channels: channels,
                    into: &result)
                #expect(result.map(\.widened) == expected.map { Element(narrowing: $0).widened })
                check(Array(sums), of: expected, raw: normalized, mean: mean)

                sums.update(repeating: 1)
                GradientKernels.addNormSums(
                    pointer(result), norm: norm, rows: rows, channels: channels)
                check(Array(sums), of: result.map(\.widened), raw: normalized, mean: mean)
            }
        }
    }

    /// Σ gradient and Σ gradient·(raw − mean) over 1.
    private func check<Element: StorageElement>(
        _ sums: [Double], of gradient: [Float], raw: [Element], mean: [Float]
    ) {
        let channels = mean.count
        for channel in 0..<channels {
            var (sum, product) = (1.0, 1.0)
            for index in stride(from: channel, to: gradient.count, by: channels) {
                sum += Double(gradient[index])
                product += Double(gradient[index] * (raw[index].widened - mean[channel]))
            }
            #expect(abs(sums[channel] - sum) < 1e-4)
            #expect(abs(sums[channels + channel] - product) < 1e-4)
        }
    }

    /// The array lives in the caller's scope for as long as the kernel runs.
    private func pointer<Element>(_ array: [Element]) -> UnsafePointer<Element> {
        let copy = UnsafeMutablePointer<Element>.allocate(capacity: array.count)
        copy.initialize(from: array, count: array.count)
        return UnsafePointer(copy)
    }

    @Test(arguments: [1, 3, 16, 21, 48]) func agreeWithLoops(channels: Int) {
        check(channels: channels, Float.self)
        check(channels: channels, BFloat16.self)
    }

    @Test func aVarianceSurvivesALargeMean() {
        let (rows, channels) = (150, 21)
        let values = numbers(rows * channels, 11).map { 50 + $0 / 100 }
        var moments = [Double](repeating: 0, count: 2 * channels)
        var narrowed = values
        RowKernels.storeAddingMoments(
            pointer(values), rows: rows, channels: channels, to: &moments, into: &narrowed)
        for channel in 0..<channels {
            let column = (0..<rows).map { Double(values[$0 * channels + channel]) }
            let mean = column.reduce(0, +) / Double(rows)
            let variance = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rows)
            let found = moments[channel] / Double(rows)
            let square = moments[channels + channel] / Double(rows)
            #expect(abs(square - found * found - variance) < 1e-5 * variance)
        }
    }

    @Test func notANumberIsNotRectifiedAway() {
        for value in [Float.nan, -Float.nan] {
            #expect(SIMD16<Float>(repeating: value).rectified[3].isNaN)
        }
        for value: Float in [
            -.infinity, .infinity, -0.0, 0, -1, 1e38, -3e38, Float.leastNonzeroMagnitude,
        ] {
            let rectified = SIMD16<Float>(repeating: value).rectified[3]
            #expect(rectified == max(0, value))
        }
    }

    @Test func gradientsPassWhereTheInputIsPositive() {
        for value: Float in [
            -.infinity, .infinity, -0.0, 0, -1, 1, Float.leastNonzeroMagnitude,
            -Float.leastNonzeroMagnitude,
        ] {
            let kept = SIMD16<Float>(repeating: 5).kept(wherePositive: SIMD16(repeating: value))
            #expect(kept[7] == (value > 0 ? 5 : 0))
        }
        #expect(SIMD16<Float>(repeating: 5).kept(wherePositive: SIMD16(repeating: .nan))[7] == 5)
    }

    @Test func bfloat16RoundsToNearestEven() {
        #expect(BFloat16(narrowing: 1).widened == 1)
        #expect(BFloat16(narrowing: 1 + 1 / 256).widened == 1)
        #expect(BFloat16(narrowing: 1 + 3 / 256).widened == 1.015625)
        #expect(BFloat16(narrowing: .infinity).widened == .infinity)
        #expect(BFloat16(narrowing: .nan).widened.isNaN)
        var narrow = [BFloat16](repeating: BFloat16(narrowing: 0), count: 16)
        let values = (0..<16).map { Float($0) * 0.3713 - 2 }
        values.withUnsafeBufferPointer {
            guard let base = $0.baseAddress else { return }
            BFloat16.storeBlock(Float.loadBlock(base), to: &narrow)
        }
        #expect(narrow == values.map { BFloat16(narrowing: $0) })
        // What the processor does where it can is what the program does where it cannot.
        let block = SIMD8<Float>(1 + 1 / 256, 1 + 3 / 256, -0.37, 3e38, .infinity, -1e-30, 0, 7)
        #expect(
            BFloat16.rounded(block)
                == SIMD8((0..<8).map { BFloat16(narrowing: block[$0]).bits }))
    }

    @Test(arguments: [0, 1, 16, 37]) func vectorsAreScaledAndSquared(count: Int) {
        let (values, before) = (numbers(count, 1), numbers(count, 2))
        var target = before
        let squares = values.reduce(0) { $0 + Double($1) * Double($1) }
        #expect(abs(VectorKernels.sumOfSquares(values, count: count) - squares) < 1e-9)
        let sum = VectorKernels.addScaled(values, by: 0.25, to: &target, count: count)
        #expect(abs(sum - squares) < 1e-9)
        #expect((0..<count).allSatisfy { target[$0] == before[$0] + 0.25 * values[$0] })
    }

    @Test(arguments: [0, 1, 2, 3, 5, 8, 13]) func sumsFollowTheTree(count: Int) {
        let length = 5000
        var vectors = numbers(max(1, count) * length, 9)
        let before = vectors
        func tree(_ range: Range<Int>, _ index: Int) -> Float {
            if range.count == 1 { return before[range.lowerBound * length + index] }
            var half = 1
            while half * 2 < range.count { half *= 2 }
            return tree(range.lowerBound..<(range.lowerBound + half), index)
                + tree((range.lowerBound + half)..<range.upperBound, index)
        }
        TreeSum.sum(&vectors, count: count, length: length, over: ThreadPool(threadCount: 2))
        for index in 0..<length {
            #expect(vectors[index] == (count == 0 ? 0 : tree(0..<count, index)))
        }
        guard count > 0 else { return }
        let places = TreeSum.placeCount(of: count)
        #expect(places <= 1 + Int(log2(Double(count)).rounded(.up)))
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: places * length)
        defer { memory.deallocate() }
        var order: [Int] = []
        TreeSum.sum(count: count, length: length) { place in
            precondition(place < places, "place \(place) of \(places)")
            return memory + place * length
        } fill: { index, place in
            order.append(index)
            for position in 0..<length { place[position] = before[index * length + position] }
        }
        #expect(order == Array(0..<count))
        #expect((0..<length).allSatisfy { memory[$0] == tree(0..<count, $0) })
    }

    @Test(arguments: [1, 2, 5]) func everyPieceRunsOnce(threads: Int) {
        let pool = ThreadPool(threadCount: threads)
        for count in [0, 1, 2, 17, 1000] {
            let counts = UnsafeMutablePointer<Int>.allocate(capacity: max(1, count))
            defer { counts.deallocate() }
            counts.initialize(repeating: 0, count: max(1, count))
            let cells = Cells(counts)
            pool.run(count) { piece, worker in
                precondition(worker < threads, "worker \(worker)")
                cells.counts[piece] += 1
            }
            #expect((0..<count).allSatisfy { counts[$0] == 1 })
        }
    }

    private struct Cells: @unchecked Sendable {
        let counts: UnsafeMutablePointer<Int>
        init(_ counts: UnsafeMutablePointer<Int>) { self.counts = counts }
    }

    @Test func buffersOfAnArenaNeverOverlapWhileInUse() {
        var random = CounterRandom(seed: 3, purpose: .initialization)
        let arena = Arena()
        var live: [Arena.Region] = []
        var moments: [[Arena.Region]] = []
        for _ in 0..<300 {
            if !live.isEmpty && random.uniform() < 0.45 {
                arena.release(live.remove(at: Int(random.uniform() * Double(live.count))))
            } else {
                live.append(arena.reserve(byteCount: Int(random.uniform() * 5000)))
            }
            moments.append(live)
        }
        arena.commit()
        var most = 0
        for live in moments {
            let sorted = live.sorted { arena.offset(of: $0) < arena.offset(of: $1) }
            for (left, right) in zip(sorted, sorted.dropFirst()) {
                #expect(arena.offset(of: left) + left.byteCount <= arena.offset(of: right))
            }
            let end = sorted.last.map { arena.offset(of: $0) + $0.byteCount } ?? 0
            #expect(end <= arena.byteCount)
            most = max(most, live.reduce(0) { $0 + $1.byteCount })
        }
        // Sharing works: little more than what is in use at one time.
        #expect(Double(arena.byteCount) < 1.25 * Double(most))
    }
}
