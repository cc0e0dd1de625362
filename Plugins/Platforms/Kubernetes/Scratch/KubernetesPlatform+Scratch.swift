public import FleetPluginAPI
import KubernetesClient

extension KubernetesPlatform {
    public func makeScratch(_ request: ScratchRequest) async throws -> ScratchPlace {
        let source = try await resolve(request.source)
        let manifest = try await manifest(request, source)
        let client = try await link.client()
        try await riding {
            try await make(manifest.claimObject, manifest.claimReference, request, client)
            try await make(manifest.workloadObject, manifest.workload, request, client)
        }
        var options: [String: JSONValue] = [
            "namespace": .string(manifest.namespace),
            "workload": .string(InstanceDeclaration.text(.statefulSets, manifest.name)),
            "container": .string(source.containerName), "dataDirectory": .string(ScratchManifest.dataDirectory),
            "claim": .string(manifest.claim), "owner": .string(source.owner), "port": .integer(Int64(source.port)),
        ]
        options["repositoryVolumes"] = source.options.values["repositoryVolumes"]
        var connection = request.source.connection
        (connection.host, connection.port) = (nil, nil)
        let tablespaces = request.tablespaces.map { ($0.path, ScratchManifest.tablespace($0.oid)) }
        return ScratchPlace(
            instance: Instance(
                name: request.name, cluster: request.source.cluster, environment: request.source.environment,
                labels: request.source.labels, platform: PluginOptions(options), connection: connection),
            settings: ["listen_addresses": "*", "port": "\(source.port)"],
            tablespaces: Dictionary(tablespaces) { $1 })
    }

    public func removeScratch(_ request: ScratchRequest) async throws {
        let namespace = try scratchNamespace(request)
        let client = try await link.client()
        try await riding {
            // The server first: a claim that a pod has stays until that is gone.
            for kind in [ResourceKind.statefulSets, .persistentVolumeClaims] {
                let reference = ObjectReference(kind, namespace: namespace, name: scratchName(request))
                try await removeOwn(reference, request, client)
            }
            let configuration = ObjectReference(
                .configMaps, namespace: namespace, name: ObjectNames.configMap(request.name))
            try await client.delete(configuration)
        }
    }

    private func removeOwn(
        _ reference: ObjectReference, _ request: ScratchRequest, _ client: KubernetesClient
    ) async throws {
        guard let object = try await client.find(reference) else { return }
        try refuseForeign(object, reference, request)
        try await client.delete(reference, uid: object.objectUID, propagation: .foreground)
        let end = ContinuousClock.now + .seconds(120)
        while true {
            let isThere = try await client.find(reference)?.objectUID == object.objectUID
            let pods = try await pods(
                in: reference.namespace ?? "",
                labels: "\(ObjectNames.scratchLabel)=\(ObjectNames.labelValue(scratchName(request)))")
            if !isThere, pods.isEmpty { return }
            guard ContinuousClock.now < end else {
                throw FleetError(
                    .timedOut, "\(reference) does not go",
                    cause: pods.isEmpty ? nil : "its pods are there: " + pods.map(\.name).joined(separator: ", "))
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private func make(
        _ object: JSONValue, _ reference: ObjectReference, _ request: ScratchRequest, _ client: KubernetesClient
    ) async throws {
        do {
            try await client.create(object, kind: reference.kind, namespace: reference.namespace)
        } catch let error as FleetError where error.code == .alreadyExists {
            guard let there = try await client.find(reference) else {
                throw FleetError(.conflict, "\(reference) has just been removed", hint: "try again")
            }
            try refuseForeign(there, reference, request)
            guard !there.isTerminating else {
                throw FleetError(.conflict, "\(reference) is being removed", hint: "try again when it is gone")
            }
        }
    }

    private func refuseForeign(_ object: JSONValue, _ reference: ObjectReference, _ request: ScratchRequest) throws {
        guard object.labels[ObjectNames.scratchLabel] == ObjectNames.labelValue(scratchName(request)) else {
            throw FleetError(
                .refused, "\(reference) is no scratch place of fleet's",
                cause: "it has no label \(ObjectNames.scratchLabel)", hint: "choose another name for the scratch place")
        }
    }

    private func manifest(_ request: ScratchRequest, _ source: KubernetesInstance) async throws -> ScratchManifest {
        let namespace = try scratchNamespace(request)
        guard source.repositoryVolumes.isEmpty || namespace == source.namespace else {
            throw FleetError(
                .refused, "a scratch place for \(source.name) cannot be in the namespace \(namespace)",
                cause: "the claim of its repository is in \(source.namespace)",
                hint: "leave `scratchNamespace` out, or keep the repository in S3")
        }
        let client = try await link.client()
        let claim = try await riding {
            try await client.find(
                ObjectReference(.persistentVolumeClaims, namespace: source.namespace, name: source.data.claim))
        }
        return ScratchManifest(
            source: source, settings: settings, name: scratchName(request), namespace: namespace,
            sourceClaim: claim ?? .object([:]))
    }

    /// A StatefulSet's name is part of its pods' labels, which have 63 characters with what is added.
    private func scratchName(_ request: ScratchRequest) -> String { ObjectNames.dnsName(request.name, limit: 52) }

    /// - Throws: `usage` for a place that is no namespace.
    private func scratchNamespace(_ request: ScratchRequest) throws -> String {
        let source = try InstanceDeclaration(request.source).namespace
        let chosen = request.place ?? settings.scratchNamespace ?? source
        guard ObjectNames.dnsName(chosen, limit: 63) == chosen else {
            throw FleetError(
                .usage, "\(chosen) is no namespace", hint: "--into takes a namespace in a Kubernetes cluster")
        }
        return chosen
    }
}
