import Foundation
import Testing
import Yams

/// The Kubernetes manifest against the fields and rules of the MPI operator's MPIJob (v2beta1) and of the
/// parts of a pod that it uses. Anything that is not known here is refused, as by `kubectl --validate=strict`.
struct ManifestTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../..").standardized.path

    private func manifest() throws -> [String: Any] {
        let text = try String(
            contentsOfFile: "\(Self.root)/cluster/kubernetes/train.yaml", encoding: .utf8)
        return try #require(try load(yaml: text) as? [String: Any])
    }

    @Test func theManifestHasTheFieldsOfTheOperator() throws {
        let faults = Schema.job.faults(try manifest(), at: "")
        #expect(faults.isEmpty, "\(faults)")
    }

    @Test func whatTheOperatorWouldRefuseIsNoticed() throws {
        var job = try manifest()
        job["sepc"] = [String: Any]()
        job["kind"] = "Job"
        var spec = try #require(job["spec"] as? [String: Any])
        spec["slotsPerWorker"] = "8"
        spec["sshAuthMountPath"] = nil
        job["spec"] = spec
        #expect(
            Set(Schema.job.faults(job, at: "")) == [
                ".sepc: not known", ".kind: Job, not MPIJob", ".spec.slotsPerWorker: no number",
                ".spec.sshAuthMountPath: missing",
            ])
    }

    /// What the manifest promises of evictions and errors.
    @Test func workersComeBackAndErrorsEndSoon() throws {
        let spec = try #require(try manifest()["spec"] as? [String: Any])
        let policy = try #require(spec["runPolicy"] as? [String: Any])
        // The pauses between the tries of a Kubernetes job double from 10 s on.
        let retries = try #require(policy["backoffLimit"] as? Int)
        #expect((0..<retries).reduce(0) { $0 + 10 << $1 } <= 120)
        let replicas = try #require(spec["mpiReplicaSpecs"] as? [String: [String: Any]])
        let worker = try #require(replicas["Worker"])
        #expect(worker["restartPolicy"] as? String == "OnFailure")
        let images = try replicas.values.map { try container($0)["image"] as? String ?? "" }
        #expect(Set(images).count == 1)
        // With a registry and a version: a bare name is pulled from nowhere.
        #expect(images.allSatisfy { $0.wholeMatch(of: /[a-z0-9.-]+\.[a-z]+\/[a-z-]+:\S+/) != nil })
        // Their files are those of this project, where the image has it.
        let lifecycle = try #require(try container(worker)["lifecycle"] as? [String: [String: Any]])
        let save = lifecycle["preStop"]?["exec"] as? [String: [String]]
        let launch = try container(try #require(replicas["Launcher"]))["command"] as? [String]
        for path in [try #require(save?["command"]?.first), try #require(launch?.first)] {
            let file = "\(Self.root)/\(path.replacing("/opt/saccader/", with: ""))"
            #expect(FileManager.default.isExecutableFile(atPath: file), "\(file)")
        }
    }

    private func container(_ replica: [String: Any]) throws -> [String: Any] {
        let template = try #require(replica["template"] as? [String: Any])
        let pod = try #require(template["spec"] as? [String: Any])
        return try #require((pod["containers"] as? [[String: Any]])?.first)
    }
}

/// What a value of a manifest may be.
private indirect enum Schema: Sendable {
    case text
    case number
    case flag
    /// An amount, as `16Gi` or a number.
    case quantity
    case one(of: [String])
    case list(Schema)
    case map(Schema)
    case fields([String: Schema], required: [String])

    /// What is not as it should be.
    func faults(_ value: Any, at path: String) -> [String] {
        switch self {
        case .text: value is String ? [] : ["\(path): no text"]
        case .number: value is Int ? [] : ["\(path): no number"]
        case .flag: value is Bool ? [] : ["\(path): neither true nor false"]
        case .quantity: value is String || value is Int ? [] : ["\(path): no amount"]
        case .one(let names):
            names.contains("\(value)")
                ? [] : ["\(path): \(value), not \(names.joined(separator: " or "))"]
        case .list(let element):
            (value as? [Any])?.enumerated().flatMap {
                element.faults($0.element, at: "\(path)[\($0.offset)]")
            } ?? ["\(path): no list"]
        case .map(let element):
            (value as? [String: Any])?.flatMap { element.faults($0.value, at: "\(path).\($0.key)") }
                ?? ["\(path): no mapping"]
        case .fields(let known, let required):
            (value as? [String: Any]).map { fields in
                fields.flatMap { name, value in
                    known[name]?.faults(value, at: "\(path).\(name)")
                        ?? ["\(path).\(name): not known"]
                } + required.filter { fields[$0] == nil }.map { "\(path).\($0): missing" }
            } ?? ["\(path): no mapping"]
        }
    }

    static let job = Schema.fields(
        [
            "apiVersion": .one(of: ["kubeflow.org/v2beta1"]), "kind": .one(of: ["MPIJob"]),
            "metadata": metadata,
            "spec": .fields(
                [
                    "slotsPerWorker": .number, "sshAuthMountPath": .text,
                    "mpiImplementation": .one(of: ["OpenMPI", "Intel", "MPICH"]),
                    "launcherCreationPolicy": .one(of: ["AtStartup", "WaitForWorkersReady"]),
                    "runPolicy": .fields(
                        [
                            "cleanPodPolicy": .one(of: ["None", "Running", "All"]),
                            "backoffLimit": .number, "activeDeadlineSeconds": .number,
                            "ttlSecondsAfterFinished": .number, "suspend": .flag,
                        ], required: ["cleanPodPolicy"]),
                    "mpiReplicaSpecs": .fields(
                        ["Launcher": replica, "Worker": replica], required: ["Launcher"]),
                ], required: ["slotsPerWorker", "sshAuthMountPath", "runPolicy", "mpiReplicaSpecs"]),
        ], required: ["apiVersion", "kind", "metadata", "spec"])

    private static let metadata = Schema.fields(
        ["name": .text, "namespace": .text, "labels": .map(.text), "annotations": .map(.text)],
        required: [])

    private static let replica = Schema.fields(
        [
            "replicas": .number, "restartPolicy": .one(of: ["Never", "OnFailure"]),
            "template": .fields(
                [
                    "metadata": metadata,
                    "spec": .fields(
                        [
                            "terminationGracePeriodSeconds": .number, "nodeSelector": .map(.text),
                            "containers": .list(container), "volumes": .list(volume),
                        ], required: ["containers"]),
                ], required: ["spec"]),
        ], required: ["replicas", "restartPolicy", "template"])

    private static let container = Schema.fields(
        [
            "name": .text, "image": .text, "command": .list(.text), "args": .list(.text),
            "imagePullPolicy": .one(of: ["Always", "IfNotPresent", "Never"]), "workingDir": .text,
            "env": .list(.fields(["name": .text, "value": .text], required: ["name"])),
            "lifecycle": .fields(["preStop": hook, "postStart": hook], required: []),
            "resources": .fields(
                ["requests": .map(.quantity), "limits": .map(.quantity)], required: []),
            "volumeMounts": .list(
                .fields(
                    ["name": .text, "mountPath": .text, "readOnly": .flag, "subPath": .text],
                    required: ["name", "mountPath"])),
        ], required: ["name", "image"])

    private static let hook = Schema.fields(
        ["exec": .fields(["command": .list(.text)], required: ["command"])], required: [])

    private static let volume = Schema.fields(
        [
            "name": .text,
            "persistentVolumeClaim": .fields(
                ["claimName": .text, "readOnly": .flag], required: ["claimName"]),
            "emptyDir": .fields(
                ["medium": .one(of: ["", "Memory"]), "sizeLimit": .quantity], required: []),
        ], required: ["name"])
}
