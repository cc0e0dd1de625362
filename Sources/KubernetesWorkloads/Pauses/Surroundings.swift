import FleetPluginAPI
import KubernetesClient

/// What stands around a workload and has a say in how many copies there are.
struct Surroundings: Sendable {
    var autoscalers: [Autoscaler] = []
    /// What must be paused before it is taken down.
    var pauses: [Pause] = []
    /// CronJobs whose running Jobs must end.
    var cronJobs: [CronJobState] = []
    /// What would fight it and cannot be paused, each in a sentence.
    var obstacles: [String] = []
    /// What may not be read, so that nobody knows what is there.
    var unknowns: [String] = []
    /// What was asked to find all that out.
    var reads: [AccessCheck] = []

    struct Autoscaler: Hashable, Sendable {
        var name: String
        /// Absent means 1.
        var minimum: Int
    }

    struct CronJobState: Hashable, Sendable {
        var name: String
        var uid: String
    }

    mutating func merge(_ other: Surroundings) {
        autoscalers += other.autoscalers
        pauses += other.pauses
        cronJobs += other.cronJobs
        obstacles += other.obstacles
        unknowns += other.unknowns
        reads += other.reads
    }

    /// The least number of copies that autoscalers allow.
    var minimum: Int { autoscalers.map(\.minimum).max() ?? 0 }
}

/// Looks around a workload.
struct SurroundingsFinder: Sendable {
    let cluster: KubernetesCluster
    let options: WorkloadOptions
    let workload: WorkloadState

    var namespace: String { workload.reference.namespace }

    /// What may not be read is an unknown in the answer, which is not the same as absent.
    ///
    /// - Throws: when the server cannot be asked.
    func find() async throws -> Surroundings {
        async let autoscalers = part { try await self.addAutoscalers(&$0) }
        async let scaledObjects = part { try await self.addScaledObjects(&$0) }
        async let argo = part { try await self.addArgo(&$0) }
        async let kustomization = part { try await self.addFlux(.fluxKustomization, &$0) }
        async let release = part { try await self.addFlux(.fluxHelmRelease, &$0) }
        async let cronJobs = self.cronJobs()
        var all = try await autoscalers
        all.merge(try await scaledObjects)
        all.merge(try await argo)
        all.merge(try await kustomization)
        all.merge(try await release)
        all.merge(try await cronJobs)
        return all
    }

    func cronJobs() async throws -> Surroundings {
        try await part { try await self.addCronJobs(&$0) }
    }

    private func part(_ look: (inout Surroundings) async throws -> Void) async throws -> Surroundings {
        var found = Surroundings()
        do {
            try await look(&found)
        } catch let error as FleetError where error.code == .denied {
            found.unknowns.append(error.description)
        }
        return found
    }

    /// All objects of a kind in the workload's namespace.
    func all(_ kind: ResourceKind, _ found: inout Surroundings) async throws -> [JSONValue] {
        found.reads.append(AccessCheck("list", kind, namespace: namespace))
        return try await cluster.reads.objects(SharedReads.Place(kind: kind, namespace: namespace), .everything)
    }

    /// An object by its name.
    func one(_ reference: ObjectReference, _ found: inout Surroundings) async throws -> JSONValue? {
        found.reads.append(AccessCheck("get", reference.kind, namespace: reference.namespace, name: reference.name))
        return try await cluster.reads.object(reference)
    }

    /// Whether a `scaleTargetRef` means this workload.
    func isTarget(_ target: JSONValue?) -> Bool {
        let version = target?["apiVersion"]?.string ?? "apps/v1"
        return target?["name"]?.string == workload.reference.name
            && (target?["kind"]?.string ?? "Deployment") == workload.reference.kind.rawValue
            && version.hasPrefix("apps/")
    }
}
