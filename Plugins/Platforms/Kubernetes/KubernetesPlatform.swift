public import FleetPluginAPI
import KubernetesClient

/// PostgreSQL servers in a Kubernetes cluster: each a StatefulSet, Deployment or PodTemplate of one pod with a volume
/// claim.
///
/// The cluster holds all that must survive a crash: Jobs under names made from their keys, records in annotations.
/// What tasks said is kept under the state directory before their Jobs are removed.
public struct KubernetesPlatform: Platform {
    let context: PluginContext
    let settings: ClusterSettings
    let link: ClusterLink
    let logs: TaskLogKeeper

    /// - Throws: `configuration` for options that cannot be right.
    public init(context: PluginContext, options: PluginOptions) throws {
        self.context = context
        settings = try ClusterSettings(options, cluster: context.name)
        link = ClusterLink(settings)
        logs = TaskLogKeeper(directory: "\(context.stateDirectory)/kubernetes/\(context.name)/tasks")
    }

    /// What `fleet agent` must answer to for this platform.
    public static let internalVerbs = [AnswerVerb.verb, InstallVerb.verb, PodTaskVerb.verb, VolumeVerb.verb]

    public func location(of instance: Instance) async throws -> InstanceLocation {
        let found = try await resolve(instance)
        return InstanceLocation(dataDirectory: found.dataDirectory, owner: found.owner, binDirectory: nil)
    }

    /// The instance with its workload as it is now.
    ///
    /// - Throws: `configuration`, `notFound`, `refused` (owned by an operator, more than one replica).
    func resolve(_ instance: Instance) async throws -> KubernetesInstance {
        let declared = try InstanceDeclaration(instance)
        let client = try await link.client()
        guard let object = try await riding({ try await client.find(declared.workload) }) else {
            throw FleetError(
                .notFound,
                "the workload of \(instance.name), \(declared.workload), does not exist in \(settings.cluster)",
                hint: "check `namespace` and `workload` in the platform block of the instance")
        }
        try OperatorOwner.refuse(object, instance.name)
        let workload = try await inCommonForm(object, declared)
        let directory = try await dataDirectory(declared, workload)
        return try KubernetesInstance(declared, object: workload, dataDirectory: directory)
    }

    private func inCommonForm(_ object: JSONValue, _ declared: InstanceDeclaration) async throws -> JSONValue {
        guard declared.workload.kind == .podTemplates else { return object }
        let selector = try PodTemplateWorkload.selector(object, of: declared.workload)
        let pods = try await pods(in: declared.namespace, labels: selector)
        return try PodTemplateWorkload.normal(object, pods: pods)
    }

    /// Declared, or `PGDATA` as the template or the running container has it, or the official image's.
    private func dataDirectory(_ declared: InstanceDeclaration, _ object: JSONValue) async throws -> String {
        if let known = try KubernetesInstance.declaredDataDirectory(declared, object) { return known }
        let draft = try KubernetesInstance(declared, object: object, dataDirectory: Self.imageDefault, isDraft: true)
        if let asked = try await link.remembered(draft.imageKey, { try await askDataDirectory(draft) }) { return asked }
        guard (try? KubernetesInstance(declared, object: object, dataDirectory: Self.imageDefault)) != nil else {
            throw FleetError(
                .configuration, "nobody can tell where the data directory of \(declared.instance.name) is",
                cause: "the container \(draft.containerName) sets no PGDATA, and it does not run to be asked",
                hint: "set `dataDirectory` in the platform block of the instance")
        }
        return Self.imageDefault
    }

    /// Of the official image up to PostgreSQL 17.
    private static let imageDefault = "/var/lib/postgresql/data"

    private func askDataDirectory(_ draft: KubernetesInstance) async throws -> String? {
        guard let pod = try await pods(of: draft).first(where: { $0.isRunning(draft.containerName) }) else {
            return nil
        }
        let result = try? await run(["printenv", "PGDATA"], in: pod, draft)
        guard let line = result?.outputText.split(separator: "\n").first, line.hasPrefix("/") else { return nil }
        return String(line)
    }
}
