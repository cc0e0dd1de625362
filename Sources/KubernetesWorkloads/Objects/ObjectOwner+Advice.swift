extension ObjectOwner {
    /// Why a workload of this owner is not scaled, and what to do instead.
    ///
    /// Facts from the operators' documentation: CloudNativePG “Declarative hibernation”, PGO “Shutdown”, Zalando's
    /// manifest reference, Percona's “Pause/resume”, Argo Rollouts “Migrating”.
    func refusal(_ workload: WorkloadReference) -> String {
        "\(workload) belongs to \(kind) \(name), which would bring it back: \(advice(workload.namespace))"
    }

    private func advice(_ namespace: String) -> String {
        switch (group, kind) {
        case ("postgresql.cnpg.io", "Cluster"):
            "annotate that with cnpg.io/hibernation=on, and with off to bring it back"
        case ("postgres-operator.crunchydata.com", "PostgresCluster"):
            "set its spec.shutdown to true, and to false to bring it back"
        case ("acid.zalan.do", "postgresql"):
            "set its spec.numberOfInstances to 0, and back to what it was"
        case (let group, _) where group == "percona.com" || group.hasSuffix(".percona.com"):
            "set its spec.pause to true, and to false to bring it back"
        case ("argoproj.io", "Rollout"):
            "scale the Rollout instead"
        default:
            "stop it through its owner (kubectl -n \(namespace) explain \(kind.lowercased()).spec) and take it out of "
                + "fleet.yaml"
        }
    }
}
