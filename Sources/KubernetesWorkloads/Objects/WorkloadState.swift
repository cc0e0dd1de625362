import FleetPluginAPI
import KubernetesClient

/// A Deployment or StatefulSet as it was read.
struct WorkloadState: Sendable {
    let reference: WorkloadReference
    let object: JSONValue

    /// What a run took down carries this: `QuiesceRecord` as JSON.
    static let recordAnnotation = "fleet.dev/quiesced"
    static let recordPath = ["metadata", "annotations", recordAnnotation]
    static let replicasPath = ["spec", "replicas"]

    /// How many there should be. API servers fill in 1.
    var replicas: Int { count("spec", "replicas") ?? 1 }
    var generation: Int64 { object[path: "metadata", "generation"]?.integer ?? 0 }
    var observedGeneration: Int64 { object[path: "status", "observedGeneration"]?.integer ?? 0 }
    var statusReplicas: Int { count("status", "replicas") ?? 0 }
    var updatedReplicas: Int { count("status", "updatedReplicas") ?? 0 }
    var readyReplicas: Int { count("status", "readyReplicas") ?? 0 }
    var availableReplicas: Int { count("status", "availableReplicas") ?? 0 }
    /// A Deployment whose rollouts someone has paused; its number can be changed all the same.
    var isPaused: Bool { object[path: "spec", "paused"]?.bool ?? false }

    var selector: LabelSelector {
        get throws { try LabelSelector(object[path: "spec", "selector"], of: "\(reference)") }
    }

    var recordText: String? { object[path: Self.recordPath]?.string }

    /// - Throws: `corrupted`: what is there but cannot be read is never taken for absent.
    var record: QuiesceRecord? {
        get throws {
            guard object[path: Self.recordPath] != nil else { return nil }
            return try JSONText.decode(
                QuiesceRecord.self, recordText ?? "", from: "the annotation \(Self.recordAnnotation) of \(reference)")
        }
    }

    /// What creates and changes it, where that is not a person or a file.
    var controller: ObjectOwner? { ObjectOwner.controller(of: object) }

    private func count(_ first: String, _ second: String) -> Int? {
        object[path: first, second]?.integer.map { Int(clamping: $0) }
    }
}

/// An entry of `metadata.ownerReferences`.
struct ObjectOwner: Hashable, Sendable {
    var apiVersion: String
    var kind: String
    var name: String
    var uid: String

    var isController: Bool

    /// Whoever it goes with when they are deleted.
    static func all(of object: JSONValue) -> [ObjectOwner] {
        (object[path: "metadata", "ownerReferences"]?.array ?? []).map { owner in
            ObjectOwner(
                apiVersion: owner["apiVersion"]?.string ?? "", kind: owner["kind"]?.string ?? "",
                name: owner["name"]?.string ?? "", uid: owner["uid"]?.string ?? "",
                isController: owner["controller"]?.bool ?? false)
        }
    }

    /// The one that manages it.
    static func controller(of object: JSONValue) -> ObjectOwner? { all(of: object).first { $0.isController } }

    var group: String { apiVersion.split(separator: "/").count == 2 ? String(apiVersion.prefix { $0 != "/" }) : "" }
}
