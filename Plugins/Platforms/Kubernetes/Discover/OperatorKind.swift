import FleetPluginAPI
import KubernetesClient

/// Kinds of objects from which operators make PostgreSQL servers.
struct OperatorKind: Hashable, Sendable {
    var group: String
    var plural: String
    var kind: String
    var operatorName: String
    /// Where the object says how many servers it wants, and which version.
    var version: [String]

    static let all = [
        OperatorKind(
            group: "postgresql.cnpg.io", plural: "clusters", kind: "Cluster", operatorName: "CloudNativePG",
            version: ["spec", "imageName"]),
        OperatorKind(
            group: "postgres-operator.crunchydata.com", plural: "postgresclusters", kind: "PostgresCluster",
            operatorName: "Crunchy PGO", version: ["spec", "postgresVersion"]),
        OperatorKind(
            group: "acid.zalan.do", plural: "postgresqls", kind: "postgresql",
            operatorName: "Zalando's postgres-operator", version: ["spec", "postgresql", "version"]),
        OperatorKind(
            group: "pgv2.percona.com", plural: "perconapgclusters", kind: "PerconaPGCluster",
            operatorName: "Percona's operator", version: ["spec", "postgresVersion"]),
    ]

    func discovered(_ object: JSONValue) -> DiscoveredInstance {
        let (namespace, name) = (object.objectNamespace ?? "", object.objectName ?? "")
        var found = object
        for part in version { found = found[part] ?? .null }
        let major = found.integer.map { String($0) } ?? found.string.flatMap(Self.major)
        return DiscoveredInstance(
            suggestedName: name,
            platform: PluginOptions([
                "namespace": .string(namespace), "workload": .string(InstanceDeclaration.text(.statefulSets, name)),
            ]), systemIdentifier: nil, majorVersion: major, isRunning: true,
            remarks: [
                "it is a \(kind) of \(operatorName), which makes its backups and restores itself: fleet cannot act on it"
            ])
    }

    /// Of `15`, or of an image: `ghcr.io/cloudnative-pg/postgresql:15.4`.
    static func major(_ text: String) -> String? {
        let tag = text.split(separator: "@")[0].split(separator: "/").last?.split(separator: ":").last ?? ""
        let digits = tag.prefix { $0.isASCII && $0.isNumber }
        return digits.isEmpty ? nil : String(digits)
    }
}
