import FleetPluginAPI
import KubernetesClient

/// An instance with its workload as it was read: which container runs the server, and where its data is.
struct KubernetesInstance: Sendable {
    let declared: InstanceDeclaration
    /// The StatefulSet or Deployment, or a PodTemplate in their form.
    let object: JSONValue
    /// `spec.template`
    let template: JSONValue
    /// The container that runs the server.
    let container: JSONValue
    /// As the container sees it; absolute.
    let dataDirectory: String
    let data: DataMount

    /// - Parameter isDraft: the data directory is not known yet, so that its mount may be any of a claim.
    /// - Throws: `configuration`, `refused`.
    init(
        _ declared: InstanceDeclaration, object: JSONValue, dataDirectory: String, isDraft: Bool = false
    ) throws {
        self.declared = declared
        self.object = object
        template = object[path: "spec", "template"] ?? .object([:])
        container = try Self.container(declared, object)
        self.dataDirectory = dataDirectory
        data = try DataMount.find(
            declared, object, container, dataDirectory: isDraft ? nil : dataDirectory)
        try refuseReplicas()
    }

    var name: String { declared.instance.name }
    var options: PluginOptions { declared.options }
    var workload: ObjectReference { declared.workload }
    var namespace: String { declared.namespace }
    var pod: JSONValue { template["spec"] ?? .object([:]) }
    var containerName: String { container["name"]?.string ?? "" }
    var image: String { container["image"]?.string ?? "" }
    /// How many pods are wanted.
    var replicas: Int64 { object[path: "spec", "replicas"]?.integer ?? 1 }
    var uid: String { object.objectUID ?? "" }
    /// For what is remembered of the image.
    var imageKey: String { "\(uid) \(containerName) \(image)" }

    var port: Int {
        if let declared = declared.instance.connection.port { return declared }
        if let option = options.integer("port") { return Int(option) }
        if let variable = variable("PGPORT").flatMap({ Int($0) }) { return variable }
        let ports = container["ports"]?.array ?? []
        let named = ports.first { ($0["name"]?.string ?? "").hasPrefix("postgres") }
        let chosen = named ?? (ports.count == 1 ? ports.first : nil)
        return chosen?["containerPort"]?.integer.map { Int(clamping: $0) } ?? 5432
    }

    /// The user that owns the data, as a task sees it: a name or a number.
    var owner: String {
        options.string("owner") ?? userID.map { String($0) } ?? "postgres"
    }

    /// The number of that user, where the template or the option says it.
    var userID: UInt32? {
        let id =
            container[path: "securityContext", "runAsUser"]?.integer
            ?? pod[path: "securityContext", "runAsUser"]?.integer
        return id.flatMap { UInt32(exactly: $0) } ?? options.string("owner").flatMap { UInt32($0) }
    }

    /// A variable that the container sets in so many words.
    func variable(_ name: String) -> String? { Self.variable(name, of: container) }

    static func variable(_ name: String, of container: JSONValue) -> String? {
        container["env"]?.array?.last { $0["name"]?.string == name }?["value"]?.string
    }

    /// Repositories on claims: name to claim.
    var repositoryVolumes: [String: String] { options.stringMap("repositoryVolumes") ?? [:] }

    private func refuseReplicas() throws {
        guard replicas > 1 else { return }
        throw FleetError(
            .refused, "\(workload) of \(name) has \(replicas) replicas, and one instance is one pod",
            cause: "each of its pods has a data directory of its own, and a restore would have to rebuild all of them",
            hint: "scale the standbys down first, or declare a workload of one pod")
    }

    /// The declared data directory, or what the container says in so many words.
    static func declaredDataDirectory(_ declared: InstanceDeclaration, _ object: JSONValue) throws -> String? {
        let container = try container(declared, object)
        guard let path = declared.options.string("dataDirectory") ?? variable("PGDATA", of: container) else {
            return nil
        }
        guard path.hasPrefix("/"), !path.contains("$(") else {
            throw FleetError(
                .configuration, "the data directory of \(declared.instance.name), \(path), is not an absolute path",
                hint: "set `dataDirectory` in the platform block of the instance")
        }
        return FilePathText.normal(path)
    }

    private static func container(_ declared: InstanceDeclaration, _ object: JSONValue) throws -> JSONValue {
        let all = object[path: "spec", "template", "spec", "containers"]?.array ?? []
        let names = all.compactMap { $0["name"]?.string }.joined(separator: ", ")
        if let wanted = declared.options.string("container") {
            guard let found = all.first(where: { $0["name"]?.string == wanted }) else {
                throw FleetError(
                    .configuration, "\(declared.workload) of \(declared.instance.name) has no container \(wanted)",
                    hint: "it has \(names)")
            }
            return found
        }
        let found =
            all.first { variable("PGDATA", of: $0) != nil }
            ?? all.first { $0["name"]?.string == "postgres" || $0["name"]?.string == "postgresql" }
            ?? (all.count == 1 ? all.first : nil)
            ?? all.first { !DataMount.claims(declared.workload, object, $0).isEmpty }
        guard let found else {
            throw FleetError(
                .configuration,
                "nobody can tell which container of \(declared.workload) runs \(declared.instance.name)",
                cause: "it has \(names)", hint: "set `container` in the platform block of the instance")
        }
        return found
    }
}
