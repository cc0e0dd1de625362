import FleetPluginAPI
import KubernetesClient

/// Where a container's data directory is on a claim.
struct DataMount: Hashable, Sendable {
    /// The PersistentVolumeClaim's name.
    var claim: String
    /// In the pod template.
    var volume: String
    var mountPath: String
    /// Of the volume: what is mounted.
    var subPath: String?
    /// The data directory below the mount; empty for the mount itself.
    var directory: String

    /// The data directory from the volume's root; empty for the root itself.
    var pathInVolume: String {
        String(FilePathText.joined(subPath ?? "", directory).dropFirst())
    }

    /// The mount that holds the data directory; any that is on a claim where that is not known.
    ///
    /// - Throws: `refused` where it is on no claim, `unsupported`.
    static func find(
        _ declared: InstanceDeclaration, _ object: JSONValue, _ container: JSONValue, dataDirectory: String?
    ) throws -> DataMount {
        let claims = claims(declared.workload, object, container)
        let mounts = container["volumeMounts"]?.array ?? []
        let candidates = mounts.filter { mount in
            guard let path = mount["mountPath"]?.string else { return false }
            guard let dataDirectory else { return claims[mount["name"]?.string ?? ""] != nil }
            return FilePathText.relative(dataDirectory, to: path) != nil
        }
        let deepest = candidates.max { depth($0) < depth($1) }
        let name = declared.instance.name
        guard let mount = deepest, let volume = mount["name"]?.string, let path = mount["mountPath"]?.string else {
            throw FleetError(
                .refused, "the data directory of \(name), \(dataDirectory ?? "not known yet"), is on no volume",
                cause: "a pod that ends takes it along", hint: "put it on a PersistentVolumeClaim")
        }
        guard let claim = declared.options.string("claim") ?? claims[volume] else {
            throw FleetError(
                .refused, "the volume \(volume) of \(declared.workload), which holds the data of \(name), is no claim",
                cause: "no other pod could be given it", hint: "put the data on a PersistentVolumeClaim")
        }
        guard mount["subPathExpr"]?.string == nil else {
            throw FleetError(
                .unsupported, "the volume \(volume) of \(declared.workload) is mounted with subPathExpr",
                hint: "use subPath")
        }
        return DataMount(
            claim: claim, volume: volume, mountPath: FilePathText.normal(path), subPath: mount["subPath"]?.string,
            directory: dataDirectory.flatMap { FilePathText.relative($0, to: path) } ?? "")
    }

    private static func depth(_ mount: JSONValue) -> Int {
        (mount["mountPath"]?.string ?? "").split(separator: "/").count
    }

    /// Volumes of the container that are on claims: volume name to claim.
    ///
    /// A StatefulSet's pod has `<template>-<set>-<ordinal>` (KEP-3335: ordinals may begin elsewhere than at 0).
    static func claims(
        _ workload: ObjectReference, _ object: JSONValue, _ container: JSONValue
    ) -> [String: String] {
        var claims: [String: String] = [:]
        for volume in object[path: "spec", "template", "spec", "volumes"]?.array ?? [] {
            guard let name = volume["name"]?.string,
                let claim = volume[path: "persistentVolumeClaim", "claimName"]?.string
            else { continue }
            claims[name] = claim
        }
        let ordinal = object[path: "spec", "ordinals", "start"]?.integer ?? 0
        for template in object[path: "spec", "volumeClaimTemplates"]?.array ?? [] {
            guard let name = template.objectName else { continue }
            claims[name] = "\(name)-\(workload.name)-\(ordinal)"
        }
        let mounted = Set((container["volumeMounts"]?.array ?? []).compactMap { $0["name"]?.string })
        return claims.filter { mounted.contains($0.key) }
    }
}
