import FleetPluginAPI
import KubernetesClient

/// Operators that run PostgreSQL themselves: whatever anyone else does to their workloads, they undo.
struct OperatorOwner: Hashable, Sendable {
    var name: String
    /// What to do instead.
    var advice: String

    private static let known: [(group: String, labels: [String], owner: OperatorOwner)] = [
        (
            "postgresql.cnpg.io", ["cnpg.io/cluster"],
            OperatorOwner(
                name: "CloudNativePG",
                advice:
                    "restore with a new Cluster whose bootstrap.recovery names the backup; to stop it, annotate the "
                    + "Cluster with cnpg.io/hibernation=on")
        ),
        (
            "postgres-operator.crunchydata.com", ["postgres-operator.crunchydata.com/cluster"],
            OperatorOwner(
                name: "Crunchy PGO",
                advice: "restore with spec.backups.pgbackrest.restore of the PostgresCluster; to stop it, set "
                    + "spec.shutdown")
        ),
        (
            "acid.zalan.do", ["cluster-name"],
            OperatorOwner(
                name: "Zalando's postgres-operator",
                advice: "restore with spec.clone of a new postgresql object; to stop it, set numberOfInstances to 0")
        ),
        (
            "pgv2.percona.com", ["postgres-operator.percona.com/cluster"],
            OperatorOwner(
                name: "Percona's operator",
                advice: "restore with a PerconaPGRestore object; to stop it, set spec.pause of the PerconaPGCluster")
        ),
    ]

    /// Nil for a workload that nobody looks after.
    static func of(_ object: JSONValue) -> OperatorOwner? {
        let controllers = (object[path: "metadata", "ownerReferences"]?.array ?? []).filter {
            $0["controller"]?.bool == true
        }
        let labels = object.labels
        for entry in known {
            let isOwned = controllers.contains { ($0["apiVersion"]?.string ?? "").hasPrefix("\(entry.group)/") }
            // Zalando's label is a plain word: only together with the name of its image.
            let isLabelled =
                entry.labels.contains { labels[$0] != nil }
                && (entry.group != "acid.zalan.do" || labels["application"] == "spilo")
            if isOwned || isLabelled { return entry.owner }
        }
        guard let controller = controllers.first else { return nil }
        let what = "\(controller["kind"]?.string ?? "an object") \(controller["name"]?.string ?? "")"
        return OperatorOwner(
            name: what,
            advice: "change \(what), which puts its workload back to what it says, or declare a workload "
                + "that nobody owns")
    }

    /// - Throws: `refused` with what to do instead.
    static func refuse(_ object: JSONValue, _ instance: String) throws {
        guard let owner = of(object) else { return }
        throw FleetError(
            .refused, "the workload of \(instance) belongs to \(owner.name)",
            cause: "it would undo what fleet does to it", hint: owner.advice)
    }
}
