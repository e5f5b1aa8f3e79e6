// swift-tools-version: 6.0
// The graph of the modules: imports point down only.
import Foundation
import PackageDescription

#if arch(x86_64)
    /// The vector unit that targets with numbers in loops are compiled for: AVX2 and FMA.
    let vectorUnit = ["-Xcc", "-march=x86-64-v3"]
#else
    let vectorUnit: [String] = []
#endif
let numbers: [SwiftSetting] = [
    .unsafeFlags(vectorUnit, .when(configuration: .release))
]
/// The kernels: bounds are checked before the loops (`Contract.require`), not inside them.
let kernels: [SwiftSetting] = [
    .unsafeFlags(["-Ounchecked"] + vectorUnit, .when(configuration: .release))
]

/// Whether oneDNN can multiply the layers' matrices, as it does on processors with AMX:
/// `SACCADER_ONEDNN=1` asks for it, `SACCADER_ONEDNN=0` leaves it out; else it is used where it is
/// installed.
let hasOneDNN: Bool = {
    // Version 2, Debian 12's: version 3 has other calls.
    let isInstalled =
        FileManager.default.contents(atPath: "/usr/include/oneapi/dnnl/dnnl_version.h")
        .map {
            String(decoding: $0, as: UTF8.self).contains("#define DNNL_VERSION_MAJOR 2\n")
        } ?? false
    func refuse(_ problem: String) -> Never {
        FileHandle.standardError.write(Data("\(problem)\n".utf8))
        exit(EXIT_FAILURE)
    }
    switch Context.environment["SACCADER_ONEDNN"] {
    case nil, "": return isInstalled
    case "0": return false
    case "1" where isInstalled: return true
    case "1":
        refuse(
            "SACCADER_ONEDNN=1: oneDNN 2 is not installed (/usr/include/oneapi/dnnl): "
                + "apt-get install libdnnl-dev, or build with SACCADER_ONEDNN=0")
    case let other?:
        refuse("SACCADER_ONEDNN=\(other): give 0 or 1, or unset it to use what is installed")
    }
}()
let oneDNN: [Target] = hasOneDNN ? [.systemLibrary(name: "ConeDNN")] : []

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
            swiftSettings: kernels),
        .target(name: "Configuration", dependencies: ["Yams"]),
        .target(name: "Collectives", dependencies: ["CMPI", "Tensors"]),
        .target(name: "Files"),
        .target(name: "Checkpoints", dependencies: ["Files", "CHDF5"]),
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
            name: "Images",
            dependencies: ["Files", "Tensors", "CTurboJPEG", "CPNG", "CWebP", "CZlib"],
            resources: [.copy("Resources")], swiftSettings: numbers),
        .target(name: "Layers", dependencies: ["Tensors"], swiftSettings: numbers),
        .target(name: "Models", dependencies: ["Layers", "Tensors"], swiftSettings: numbers),
        .target(
            name: "SaccaderModel", dependencies: ["Models", "Layers", "Tensors"],
            swiftSettings: numbers),
        .target(
            name: "ResNetModel", dependencies: ["Models", "Layers", "Tensors"],
            swiftSettings: numbers),
        .target(
            name: "GlimpseModel", dependencies: ["ResNetModel", "Models", "Layers", "Tensors"],
            swiftSettings: numbers),
        .target(
            name: "Families",
            dependencies: [
                "SaccaderModel", "ResNetModel", "DRAMModel", "GlimpseModel", "Models", "Layers",
                "Tensors",
            ]),
        .target(
            name: "DRAMModel", dependencies: ["Models", "Layers", "Tensors"],
            swiftSettings: numbers),
        .target(name: "Terminal"),
        .target(name: "Host", dependencies: ["Terminal", "Tensors"]),
        .target(
            name: "StoredModels",
            dependencies: [
                "Host", "Terminal", "Families", "Models", "Layers", "Images", "Checkpoints",
                "Configuration",
            ]),
        .target(
            name: "Evaluation",
            dependencies: [
                "StoredModels", "Host", "Terminal", "Families", "Models", "Layers", "Tensors",
                "Images", "Checkpoints", "Files", "Configuration", "CCairo", "CPNG",
            ]),
        .target(
            name: "ONNXGraphs",
            dependencies: [
                "ONNXMessages", "SaccaderModel", "ResNetModel", "DRAMModel", "GlimpseModel",
                "Models", "Layers", "Tensors",
            ]),
        .target(
            name: "Training",
            dependencies: [
                "Evaluation", "StoredModels", "Host", "Terminal", "Families", "Models", "Layers",
                "Tensors", "Images", "Checkpoints", "Files", "Configuration", "Collectives",
                "Safetensors", "EventMessages", "ONNXGraphs", "ONNXMessages",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            resources: [.copy("Resources")]),
        .target(
            name: "EvaluationCommand",
            dependencies: [
                "Evaluation", "Host", "Terminal", "Models", "Tensors", "Images", "Checkpoints",
                "Files", "Configuration",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "saccader-dist",
            dependencies: [
                "Training", "EvaluationCommand", "Evaluation", "Host", "Terminal", "Families",
                "Models", "Images", "Collectives", "BuildCommit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "saccader-eval",
            dependencies: [
                "EvaluationCommand", "Host", "Terminal", "BuildCommit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        .target(
            name: "TestSupport", dependencies: ["Images", "Checkpoints"], path: "Tests/TestSupport"),
        .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
        .testTarget(
            name: "LayersTests", dependencies: ["Layers", "Tensors", "Checkpoints"],
            resources: [.copy("Fixtures")]),
        .testTarget(name: "ConfigurationTests", dependencies: ["Configuration"]),
        .executableTarget(
            name: "rank-probe", dependencies: ["Collectives", "CMPI", "Tensors"],
            path: "Tests/RankProbe"),
        .testTarget(name: "CollectivesTests", dependencies: ["TestSupport", "rank-probe"]),
        .testTarget(name: "SafetensorsTests", dependencies: ["Safetensors", "TestSupport"]),
        .testTarget(
            name: "CheckpointsTests", dependencies: ["Checkpoints", "Files", "TestSupport"]),
        .testTarget(
            name: "ImagesTests", dependencies: ["Images", "Files", "Tensors", "TestSupport"],
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
                "Training", "Evaluation", "StoredModels", "Host", "Terminal", "Families",
                "SaccaderModel", "ResNetModel", "Models", "Layers", "Tensors", "Images",
                "Checkpoints", "Files", "Configuration", "Collectives", "EventMessages",
                "ONNXMessages", "ONNXGraphs", "Safetensors", "TestSupport", "Yams",
            ],
            resources: [.copy("Fixtures")]),
        .testTarget(
            name: "EvaluationTests",
            dependencies: [
                "Evaluation", "EvaluationCommand", "StoredModels", "Host", "Terminal", "Families",
                "SaccaderModel", "ResNetModel", "Models", "Layers", "Images", "Checkpoints",
                "Tensors", "BuildCommit", "TestSupport",
            ],
            resources: [.copy("Fixtures")]),
        .testTarget(name: "StructureTests", dependencies: ["TestSupport"]),
    ],
    swiftLanguageModes: [.v6]
)
