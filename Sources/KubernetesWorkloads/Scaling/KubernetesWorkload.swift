public import FleetPluginAPI
import KubernetesClient

/// A Deployment or StatefulSet that is taken to zero and brought back exactly as it was.
///
/// What it was stands in an annotation of the workload, written by the same patch that scales it. What would bring it
/// back meanwhile (KEDA, Argo CD, Flux, CronJobs of the application) is paused before and put back after; each such
/// object carries a note of what it was. Nothing is kept anywhere else, so a crash at any moment loses nothing.
///
/// An API server that is away is waited for, up to two minutes.
public struct KubernetesWorkload: Scaler {
    public let reference: WorkloadReference
    let login: KubernetesLogin
    let options: WorkloadOptions
    let clusters: KubernetesClusters

    /// Nothing is read or sent yet.
    public init(
        _ reference: WorkloadReference, login: KubernetesLogin, options: WorkloadOptions = WorkloadOptions(),
        clusters: KubernetesClusters = .shared
    ) {
        self.reference = reference
        self.login = login
        self.options = options
        self.clusters = clusters
    }

    /// From the options of a scaler.
    ///
    /// - Throws: `configuration` for options that are missing or cannot be understood.
    public init(_ kind: WorkloadReference.Kind, context: PluginContext, options: PluginOptions) throws {
        let reference = WorkloadReference(
            kind, namespace: try options.required("namespace"), name: try options.required("name"))
        let workload = WorkloadOptions(options)
        for wish in workload.cronJobs { _ = try CronJobWish(wish) }
        self.init(reference, login: KubernetesLogin(options, in: context.cluster), options: workload)
    }

    func cluster() async throws -> KubernetesCluster { try await clusters.cluster(login) }

    /// - Throws: `notFound`.
    func state(_ cluster: KubernetesCluster) async throws -> WorkloadState {
        guard let object = try await cluster.reads.object(reference.object) else {
            throw FleetError(
                .notFound, "\(cluster.client.configuration.contextName): there is no \(reference)",
                hint: "check namespace and name in fleet.yaml")
        }
        return WorkloadState(reference: reference, object: object)
    }

    /// What was seen before, the first time; then what is so now.
    func takeOrRead(_ seen: inout WorkloadState?, _ cluster: KubernetesCluster) async throws -> WorkloadState {
        defer { seen = nil }
        if let seen { return seen }
        return WorkloadState(reference: reference, object: try await cluster.client.get(reference.object))
    }

    func finder(_ cluster: KubernetesCluster, _ state: WorkloadState) -> SurroundingsFinder {
        SurroundingsFinder(cluster: cluster, options: options, workload: state)
    }

    func pauser(_ cluster: KubernetesCluster) -> Pauser {
        Pauser(client: cluster.client, holder: "\(reference)")
    }

    /// Its pods, those that end included. Pods that only share its labels and belong to something else do not count.
    func pods(_ cluster: KubernetesCluster, _ state: WorkloadState) async throws -> [PodState] {
        let place = SharedReads.Place(kind: .pods, namespace: reference.namespace)
        let uid = state.object.objectUID
        return try await cluster.reads.objects(place, .labelled(try state.selector)).map { PodState($0) }.filter {
            guard let owner = $0.owner else { return true }
            return reference.kind == .deployment ? owner.kind == "ReplicaSet" : owner.uid == uid
        }
    }

    /// - Throws: `conflict` when the record is another run's.
    func check(_ record: QuiesceRecord, isOf run: String) throws {
        guard record.run != run else { return }
        throw FleetError(
            .conflict, "\(reference) was taken down by the run \(record.run), not by \(run)",
            hint: "finish that run first: fleet runs resume \(record.run) or fleet runs abort \(record.run)",
            retriable: false)
    }
}
