// swift-tools-version: 6.0
// The graph of the rooms: imports point down only (Tests/StructureTests asserts it).
import Foundation
import PackageDescription

#if arch(x86_64)
    /// The vector unit that the elementwise kernels are compiled for: AVX2 and FMA.
    let vectorUnit = ["-Xcc", "-march=x86-64-v3"]
#else
    let vectorUnit: [String] = []
#endif

/// oneDNN is used where the headers of its version 2, Debian 12's, are installed; version 3 has other
/// calls. Without it OpenBLAS does all products.
let hasOneDNN =
    FileManager.default.contents(atPath: "/usr/include/oneapi/dnnl/dnnl_version.h")
    .map { String(decoding: $0, as: UTF8.self).contains("#define DNNL_VERSION_MAJOR 2\n") } ?? false
let oneDNN: [Target] = hasOneDNN ? [.systemLibrary(name: "ConeDNN")] : []

/// Rooms with inner loops: bounds are checked before the loops, not inside them.
let fast: [SwiftSetting] = [
    .unsafeFlags(["-Ounchecked"] + vectorUnit, .when(configuration: .release))
]

/// Where git keeps the commit that is checked out, for the program's `--version`: the names of files,
/// not the commit itself, since what this manifest says is kept and not asked for anew.
let commitSettings: [CSetting] = {
    func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path)
            .map {
                String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            }
    }
    func path(_ path: String, in folder: String) -> String {
        path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }
    func define(_ name: String, _ text: String) -> CSetting { .define(name, to: "\"\(text)\"") }
    // A container is built from files without their history.
    if let told = Context.environment["SACCADER_COMMIT"], !told.isEmpty,
        told.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "-" })
    {
        return [define("SACCADER_COMMIT", told)]
    }
    // In a work tree besides the clone's own, `.git` is a file that names the folder.
    let link = text("\(Context.packageDirectory)/.git").map { $0.dropFirst("gitdir: ".count) }
    let git = path(link.map(String.init) ?? ".git", in: Context.packageDirectory)
    guard let head = text("\(git)/HEAD") else { return [] }
    let settings = [define("SACCADER_HEAD_FILE", "\(git)/HEAD")]
    guard head.hasPrefix("ref: ") else { return settings }
    let branch = String(head.dropFirst("ref: ".count))
    let common = text("\(git)/commondir").map { path($0, in: git) } ?? git
    return settings + [
        define("SACCADER_BRANCH", branch), define("SACCADER_BRANCH_FILE", "\(common)/\(branch)"),
    ]
}()

let package = Package(
    name: "saccader-dist",
    products: [
        .executable(name: "saccader-dist", targets: ["saccader-dist"]),
        .executable(name: "saccader-eval", targets: ["saccader-eval"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: oneDNN + [
        .systemLibrary(name: "CProcessor"),
        .target(name: "CThreads"),
        .target(name: "CWindows"),
        .target(name: "CProducts"),
        .target(name: "CCommit", exclude: ["archive.txt"], cSettings: commitSettings),
        // Below the executables alone, so that another commit compiles little anew.
        .target(name: "BuildCommit", dependencies: ["CCommit"]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas"),
        .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg"),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng"),
        .systemLibrary(name: "CWebP", pkgConfig: "libwebp"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
        .systemLibrary(name: "CCairo", pkgConfig: "cairo"),
        .systemLibrary(name: "CHDF5", pkgConfig: "hdf5"),
        .systemLibrary(name: "CMPI", pkgConfig: "ompi-c"),

        .target(
            name: "Tensors",
            dependencies: ["CProcessor", "CThreads", "CWindows", "CProducts", "COpenBLAS"]
                + (hasOneDNN ? ["ConeDNN"] : []),
            swiftSettings: fast),
        .target(name: "Configuration", dependencies: ["Yams"]),
        .target(name: "Collectives", dependencies: ["CMPI", "Tensors"]),
        .target(name: "Checkpoints", dependencies: ["CHDF5"]),
        .target(name: "Safetensors"),
        // The code is generated and committed: to generate it in each build takes minutes.
        .target(
            name: "EventMessages",
            dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["event.proto"]),
        .target(
            name: "ONNXMessages",
            dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["onnx.proto"]),
        .target(
            name: "Images", dependencies: ["Tensors", "CTurboJPEG", "CPNG", "CWebP", "CZlib"],
            resources: [.copy("Resources")], swiftSettings: fast),
        .target(name: "Layers", dependencies: ["Tensors"], swiftSettings: fast),
        .target(name: "Models", dependencies: ["Layers", "Tensors"], swiftSettings: fast),
        .target(
            name: "SaccaderModel", dependencies: ["Models", "Layers", "Tensors"],
            swiftSettings: fast),
        .target(
            name: "ResNetModel", dependencies: ["Models", "Layers", "Tensors"],
            swiftSettings: fast),
        .target(
            name: "GlimpseModel", dependencies: ["ResNetModel", "Models", "Layers", "Tensors"],
            swiftSettings: fast),
        .target(
            name: "Families",
            dependencies: [
                "SaccaderModel", "ResNetModel", "DRAMModel", "GlimpseModel", "Models", "Layers",
                "Tensors",
            ]),
        .target(
            name: "DRAMModel", dependencies: ["Models", "Layers", "Tensors"],
            swiftSettings: fast),
        .target(
            name: "Evaluation",
            dependencies: [
                "Families", "Models", "Layers", "Tensors", "Images", "Checkpoints",
                "Configuration", "CCairo", "CPNG",
            ]),
        .target(
            name: "ONNXGraphs",
            dependencies: [
                "ONNXMessages", "SaccaderModel", "ResNetModel", "DRAMModel", "GlimpseModel",
                "Models", "Tensors",
            ]),
        .target(
            name: "Training",
            dependencies: [
                "Evaluation", "Families", "Models", "Layers", "Tensors", "Images", "Checkpoints",
                "Configuration", "Collectives", "Safetensors", "EventMessages", "ONNXGraphs",
            ],
            resources: [.copy("Resources")]),
        .target(
            name: "EvaluationCommand",
            dependencies: [
                "Evaluation", "Images", "Models",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "saccader-dist",
            dependencies: [
                "Training", "EvaluationCommand", "Families", "Models", "BuildCommit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "saccader-eval",
            dependencies: [
                "EvaluationCommand", "BuildCommit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        .target(
            name: "TestSupport", dependencies: ["Images", "Checkpoints"], path: "Tests/TestSupport"),
        .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
        .testTarget(name: "LayersTests", dependencies: ["Layers", "Tensors"]),
        .testTarget(name: "ConfigurationTests", dependencies: ["Configuration"]),
        .executableTarget(
            name: "rank-probe", dependencies: ["Collectives", "Tensors"], path: "Tests/RankProbe"),
        .testTarget(name: "CollectivesTests", dependencies: ["TestSupport", "rank-probe"]),
        .testTarget(name: "SafetensorsTests", dependencies: ["Safetensors", "TestSupport"]),
        .testTarget(name: "CheckpointsTests", dependencies: ["Checkpoints", "TestSupport"]),
        .testTarget(
            name: "ImagesTests", dependencies: ["Images", "TestSupport"],
            resources: [.copy("Fixtures")]),
        .testTarget(
            name: "SaccaderModelTests",
            dependencies: [
                "SaccaderModel", "ResNetModel", "Models", "Layers", "Tensors", "TestSupport",
            ]),
        .testTarget(
            name: "DRAMModelTests",
            dependencies: [
                "DRAMModel", "Models", "Layers", "Tensors", "Checkpoints", "TestSupport",
            ],
            resources: [.copy("Fixtures")]),
        .testTarget(
            name: "GlimpseModelTests",
            dependencies: [
                "GlimpseModel", "SaccaderModel", "ResNetModel", "Families", "Models", "Layers",
                "Tensors", "TestSupport",
            ]),
        .testTarget(
            name: "TrainingTests",
            dependencies: [
                "Training", "Evaluation", "Families", "SaccaderModel", "ResNetModel", "Models",
                "Images", "Checkpoints", "Collectives", "EventMessages", "ONNXMessages",
                "ONNXGraphs", "Safetensors", "TestSupport", "Yams",
            ],
            resources: [.copy("Fixtures")]),
        .testTarget(
            name: "EvaluationTests",
            dependencies: [
                "Evaluation", "Families", "SaccaderModel", "ResNetModel", "Models", "Images",
                "Checkpoints", "Tensors", "BuildCommit", "TestSupport",
            ],
            resources: [.copy("Fixtures")]),
        .testTarget(name: "StructureTests", dependencies: ["TestSupport"]),
    ],
    swiftLanguageModes: [.v6]
)
