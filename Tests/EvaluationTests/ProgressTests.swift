import Testing

@testable import Terminal

/// A rate from a few milliseconds would be an absurd one.
@Test func theFirstMomentsHaveNoRate() {
    let bar = ProgressBar("reading", total: 4000, from: 1000, unit: "images", style: .quiet)
    #expect(bar.text(1256, after: 0.001, details: "") == " 31% ")
    #expect(bar.text(2000, after: 2, details: "") == " 50%  500 images/s ETA 0:04")
    #expect(bar.text(4000, after: 6, details: "x") == "100% x 500 images/s ETA 0:00")
}
