import Testing

@testable import Evaluation
@testable import Terminal

/// Attacks and comparisons, against small cases worked by hand.
@Suite struct AttackTests {
    @Test func radiiAreNumbersOrFractions() throws {
        let attack = try Attack(method: "fgsm", epsilons: "0,1/255,0.5")
        #expect(attack.epsilons == [0, 1.0 / 255, 0.5])
        #expect(attack.epsilons.map { attack.gradientCount($0) } == [0, 1, 1])
        let descent = try Attack(method: "pgd", epsilons: "0.1", steps: 7)
        #expect(descent.gradientCount(0.1) == 7)
        #expect(Robustness.text(2.0 / 255) == "2/255" && Robustness.text(0) == "0")
    }

    @Test(arguments: ["", "x", "1/0", "-1/255", "2", "1/2/3", "0,,1"])
    func otherRadiiAreRefused(text: String) {
        #expect(throws: RequestError.self) {
            try Attack(method: "fgsm", epsilons: text)
        }
    }

    @Test func unknownAttacksAreRefused() {
        #expect(throws: RequestError.self) { try Attack(method: "deepfool") }
    }

    @Test func aSignStepIsWorkedByHand() throws {
        let attack = try Attack(method: "fgsm", epsilons: "0.25")
        let origin: [Float] = [0.5, 0.5, 0.5, 0.125, 0.875]
        #expect(attack.start(origin, epsilon: 0.25, seed: 1, identifier: 2) == origin)
        // Up, down, unmoved; the last two stop at the ends of the scale.
        let moved = attack.step(
            origin, along: [0.001, -3, 0, -1, 1], around: origin, epsilon: 0.25)
        #expect(moved == [0.75, 0.25, 0.5, 0, 1])
    }

    @Test func descentStaysInTheBall() throws {
        let attack = try Attack(method: "pgd", epsilons: "0.1", steps: 5)
        let origin: [Float] = [0.5, 0.02, 0.97, 0.5]
        let start = attack.start(origin, epsilon: 0.1, seed: 1, identifier: 2)
        #expect(start != origin)
        #expect(start == attack.start(origin, epsilon: 0.1, seed: 1, identifier: 2))
        #expect(start != attack.start(origin, epsilon: 0.1, seed: 1, identifier: 3))
        var current = start
        for _ in 0..<5 {
            current = attack.step(current, along: [1, -1, 1, -1], around: origin, epsilon: 0.1)
        }
        // Five steps of half the radius reach the ball's edge from anywhere in it.
        #expect(zip(current, [0.6, 0, 1, 0.4] as [Float]).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    @Test func countsBecomeParts() throws {
        let attack = try Attack(method: "fgsm", epsilons: "0,0.1")
        // learned: ε 0 top-1 and top-5, ε 0.1 the same; then the mean logits.
        let found = Robustness(
            attack, glimpses: 3,
            counts: [[8, 10, 4, 6, 9, 10, 3, 5], [6, 10, 2, 6, 9, 10, 1, 5]],
            images: 10)
        #expect(found.predictions["learned"]?.map(\.top1Count) == [14, 6])
        #expect(abs((found.predictions["learned"]?[1].top1 ?? 0) - 0.3) < 1e-12)
        #expect(found.predictions["meanLogits"]?.map(\.top5Count) == [20, 10])
        #expect(found.checkpoints[1]["meanLogits"]?.map(\.top1Count) == [9, 1])
        let lines = found.csv(checkpoints: ["a.h5", "b,c.h5"]).split(separator: "\n")
        #expect(lines.count == 13)
        #expect(lines[2] == "a.h5,learned,3,fgsm,1,0.1,10,4,0.4,6,0.6,,")
        #expect(lines[8] == "\"b,c.h5\",meanLogits,,fgsm,1,0.1,10,1,0.1,5,0.5,,")
        // 4 and 2 of 10: the deviation is √0.02; 6 and 6 have none.
        let mean = lines[10].split(separator: ",").map { Double($0) ?? -1 }
        #expect(lines[10].hasPrefix("mean,learned,3,fgsm,1,0.1,10,6,") && mean.count == 13)
        #expect(abs(mean[8] - 0.3) < 1e-12 && abs(mean[11] - 0.02.squareRoot()) < 1e-12)
        #expect(mean[12] == 0)
    }

    @Test func namesMakeGroups() throws {
        let groups = try ComparisonGroup.groups(["full=a.h5", "soft=b.h5", "full=c=d.h5"])
        #expect(
            groups == [
                ComparisonGroup(name: "full", checkpoints: ["a.h5", "c=d.h5"]),
                ComparisonGroup(name: "soft", checkpoints: ["b.h5"]),
            ])
        #expect(try ComparisonGroup.groups(["a.h5", "b.h5"]).isEmpty)
        #expect(throws: RequestError.self) { try ComparisonGroup.groups(["x=a.h5", "b.h5"]) }
        #expect(throws: RequestError.self) { try ComparisonGroup.groups(["=a.h5"]) }
        #expect(throws: RequestError.self) { try ComparisonGroup.groups(["../up=a.h5"]) }
    }
}
