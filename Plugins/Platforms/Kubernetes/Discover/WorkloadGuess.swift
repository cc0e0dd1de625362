import FleetPluginAPI
import KubernetesClient

/// A StatefulSet or Deployment that looks like PostgreSQL.
struct WorkloadGuess: Sendable {
    private let object: JSONValue
    private let kind: ResourceKind
    private let container: JSONValue

    /// Images that hold a server, by the last part of their name; others that merely mention it (exporters, poolers,
    /// operators) hold none.
    private static let servers = ["postgres", "postgresql", "postgis", "timescaledb", "spilo", "pgvector"]
    private static let others = ["exporter", "bouncer", "operator", "pgadmin", "pgpool", "backup", "client", "proxy"]

    /// Nil when it does not.
    init?(_ object: JSONValue, _ kind: ResourceKind) {
        // Scratch places are fleet's own.
        guard object.labels[ObjectNames.scratchLabel] == nil else { return nil }
        let containers = object[path: "spec", "template", "spec", "containers"]?.array ?? []
        guard let container = containers.first(where: Self.isServer) else { return nil }
        self.object = object
        self.kind = kind
        self.container = container
    }

    static func isServer(_ container: JSONValue) -> Bool {
        let image = (container["image"]?.string ?? "").split(separator: "@")[0]
        let path = image.split(separator: "/").last.map(String.init) ?? ""
        let name = path.split(separator: ":")[0].lowercased()
        if others.contains(where: { name.contains($0) }) { return false }
        let variables = Set((container["env"]?.array ?? []).compactMap { $0["name"]?.string })
        if !variables.isDisjoint(with: ["PGDATA", "POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD", "POSTGRES_INITDB_ARGS"]) {
            return hasPort(container) || servers.contains { name.contains($0) } || mountsData(container)
        }
        return servers.contains { name.contains($0) } && (hasPort(container) || mountsData(container))
    }

    private static func hasPort(_ container: JSONValue) -> Bool {
        (container["ports"]?.array ?? []).contains { $0["containerPort"]?.integer == 5432 }
    }

    private static func mountsData(_ container: JSONValue) -> Bool {
        !(container["volumeMounts"]?.array ?? []).isEmpty
    }

    var discovered: DiscoveredInstance {
        let (namespace, name) = (object.objectNamespace ?? "", object.objectName ?? "")
        let options: [String: JSONValue] = [
            "namespace": .string(namespace), "workload": .string(InstanceDeclaration.text(kind, name)),
        ]
        var remarks: [String] = []
        if let owner = OperatorOwner.of(object) {
            remarks.append("it belongs to \(owner.name), and fleet cannot restore it in place: \(owner.advice)")
        }
        let replicas = object[path: "spec", "replicas"]?.integer ?? 1
        if replicas > 1 { remarks.append("it has \(replicas) replicas; fleet restores workloads of one pod") }
        let ready = object[path: "status", "readyReplicas"]?.integer ?? 0
        let instance = Instance(name: name, cluster: "", environment: "", platform: PluginOptions(options))
        if remarks.isEmpty, let trouble = trouble(instance) { remarks.append(trouble) }
        return DiscoveredInstance(
            suggestedName: name, platform: PluginOptions(options), systemIdentifier: nil, majorVersion: majorVersion,
            isRunning: ready > 0, remarks: remarks)
    }

    /// Of the image's tag, where that begins with one: `15`, `15.4-alpine`.
    private var majorVersion: String? {
        let image = (container["image"]?.string ?? "").split(separator: "@")[0]
        guard let tag = image.split(separator: "/").last?.split(separator: ":").dropFirst().first else { return nil }
        let digits = tag.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits), (9...99).contains(number) else { return nil }
        return String(number)
    }

    /// What would keep fleet from working with it.
    private func trouble(_ instance: Instance) -> String? {
        do {
            let declared = try InstanceDeclaration(instance)
            let directory = try KubernetesInstance.declaredDataDirectory(declared, object)
            _ = try KubernetesInstance(
                declared, object: object, dataDirectory: directory ?? "/", isDraft: directory == nil)
            return nil
        } catch {
            return "\(FleetError(error, instance.name))"
        }
    }
}
