import FleetPluginAPI
import FoundationEssentials

@testable import KubernetesPlatform

/// Objects as an API server gives them.
enum Samples {
    static func json(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    static let settings = (try? ClusterSettings(PluginOptions(["agentImage": "fleet:1"]), cluster: "prod"))

    static func instance(_ options: [String: JSONValue] = [:]) -> Instance {
        let common: [String: JSONValue] = ["namespace": "infra", "workload": "statefulset/postgres"]
        return Instance(
            name: "orders", cluster: "prod", environment: "prod",
            platform: PluginOptions(common.merging(options) { $1 }))
    }

    static func found(_ object: JSONValue, _ options: [String: JSONValue] = [:]) throws -> KubernetesInstance {
        let declared = try InstanceDeclaration(instance(options))
        let directory = try KubernetesInstance.declaredDataDirectory(declared, object)
        return try KubernetesInstance(declared, object: object, dataDirectory: directory ?? "/var/lib/postgresql/data")
    }

    /// A StatefulSet with everything that a task takes over, or must not, and `conf` as where its configuration is from.
    static func statefulSet(conf: String = #""configMap": {"name": "pg-conf"}"#) throws -> JSONValue {
        try json(
            """
            {"apiVersion": "apps/v1", "kind": "StatefulSet",
             "metadata": {"name": "postgres", "namespace": "infra", "uid": "u-1"},
             "spec": {"replicas": 1, "serviceName": "pg", "selector": {"matchLabels": {"app": "pg"}},
              "volumeClaimTemplates": [{"metadata": {"name": "data"}}],
              "template": {"metadata": {"labels": {"app": "pg"}}, "spec": {
               "serviceAccountName": "postgres", "nodeSelector": {"disk": "fast"},
               "tolerations": [{"key": "db", "operator": "Exists"}], "imagePullSecrets": [{"name": "registry"}],
               "securityContext": {"fsGroup": 999},
               "affinity": {"podAntiAffinity": {"x": 1}, "nodeAffinity": {"preferred": 1}},
               "initContainers": [{"name": "own", "image": "busybox"}],
               "volumes": [{"name": "conf", \(conf)}, {"name": "stats", "emptyDir": {}}],
               "containers": [
                {"name": "exporter", "image": "postgres-exporter:1", "volumeMounts": [{"name": "stats", "mountPath": "/s"}]},
                {"name": "db", "image": "postgres:15.4", "livenessProbe": {"x": 1},
                 "securityContext": {"runAsUser": 999}, "envFrom": [{"secretRef": {"name": "pg"}}],
                 "env": [{"name": "PGDATA", "value": "/var/lib/postgresql/data/pgdata"},
                         {"name": "POSTGRES_USER", "value": "admin"}, {"name": "TOKEN", "value": "old"}],
                 "args": ["-c", "archive_mode=on", "-D", "/var/lib/postgresql/data/pgdata"],
                 "volumeMounts": [{"name": "data", "mountPath": "/var/lib/postgresql/data", "subPath": "pg"},
                                  {"name": "conf", "mountPath": "/etc/postgresql"}]}]}}}}
            """)
    }
}
