public import FleetPluginAPI
import KubernetesClient
import KubernetesWorkloads

extension KubernetesPlatform {
    public func obstacles(to work: PlatformWork, of instance: Instance) async throws -> [String] {
        let declared = try InstanceDeclaration(instance)
        let client = try await link.client()
        var found = try await riding { try await client.check(Permissions.needed(for: work, declared, settings)) }.map {
            "fleet may not \($0)"
        }
        do {
            let resolved = try await resolve(instance)
            if work == .restore, resolved.workload.kind != .podTemplates {
                found += try await riding { try await workload(of: resolved).obstacles() }
            }
        } catch let error as FleetError where [.refused, .denied, .notFound, .configuration].contains(error.code) {
            found.append("\(error)")
        }
        found += try await quotas(declared.namespace, client)
        return found
    }

    public func remarks(on work: PlatformWork, of instance: Instance) async throws -> [String] {
        if work == .restoreBeside { return try await resolve(instance).claimsLeftBehind }
        guard work == .restore else { return [] }
        let found = try await resolve(instance)
        var remarks: [String] = []
        if found.container["livenessProbe"] != nil, found.container["startupProbe"] == nil {
            remarks.append(
                "the container \(found.containerName) of \(found.workload) has a liveness probe and no startup probe: "
                    + "a recovery that takes longer than the probe waits is killed by it")
        }
        if found.pod["terminationGracePeriodSeconds"]?.integer ?? 30 < 30 {
            remarks.append(
                "the pod of \(found.workload) has \(found.pod["terminationGracePeriodSeconds"]?.integer ?? 0) seconds to "
                    + "end before it is killed, which may be too little for a shutdown checkpoint")
        }
        if found.replicas == 1, let pod = try await currentPod(of: found),
            pod.object[path: "spec", "hostNetwork"]?.bool == true
        {
            remarks.append("the pod \(pod.name) uses its node's network: clients may reach it at the node's address")
        }
        return remarks
    }

    /// Quotas that leave no room for a Job's pod, where they may be seen.
    private func quotas(_ namespace: String, _ client: KubernetesClient) async throws -> [String] {
        let list: [JSONValue]
        do {
            list = try await riding { try await client.list(.resourceQuotas, namespace: namespace).items }
        } catch let error as FleetError where error.code == .denied || error.code == .unsupported {
            return []
        }
        return list.flatMap { quota in
            ["pods", "count/jobs.batch", "count/pods"].compactMap { name -> String? in
                guard let hard = quota[path: "status", "hard", name]?.string.flatMap({ Int($0) }),
                    let used = quota[path: "status", "used", name]?.string.flatMap({ Int($0) }), used >= hard
                else { return nil }
                return
                    "the quota \(quota.objectName ?? "") of the namespace \(namespace) allows \(hard) \(name), and all "
                    + "are used: a Job could not begin"
            }
        }
    }
}

extension KubernetesInstance {
    /// A copy has no claim of its source's but those of repositories: what is on the others could be damaged by it.
    var claimsLeftBehind: [String] {
        let claims = DataMount.claims(workload, object, container)
        let known = Set(repositoryVolumes.values).union([data.claim])
        return claims.filter { !known.contains($0.value) }.sorted { $0.key < $1.key }.map { volume, claim in
            let mount = container["volumeMounts"]?.array?.first { $0["name"]?.string == volume }
            return "the copy does not have the claim \(claim), which its source has at "
                + "\(mount?["mountPath"]?.string ?? "its place"): where it holds a repository, name it in "
                + "repositoryVolumes"
        }
    }
}
