import FoundationEssentials

/// The manifest of a PostgreSQL server as people run it: a StatefulSet with a claim per pod, a Deployment or a PodTemplate
/// with a claim of its own, and a headless Service.
///
/// The container `postgres` runs as user 999 with the data directory `/data/pg` on the claim `data-NAME-0`, trusts
/// everybody in the bench's networks, and listens on its pod's address and in `/run/postgresql`.
public struct PostgresWorkload: Sendable {
    public enum Kind: Sendable {
        case statefulSet, deployment
        /// Nothing makes a pod of it until somebody is asked to.
        case podTemplate
    }

    public var kind = Kind.statefulSet
    public var name: String
    public var image: String
    public var replicas = 1
    public var labels: [String: String] = [:]
    public var annotations: [String: String] = [:]
    /// Lines of postgresql.conf, written when the data directory is made: they travel with it, as `archive_command` does.
    public var settings: [String: String] = [:]
    /// `-c name=value` on the command line, stronger than every file.
    public var commandLine: [String: String] = [:]
    /// An image whose `/fleet` an init container copies into a volume, mounted at `/fleet`: `KubernetesBench.agentImage`.
    public var agentImage: String?
    /// Further claims and where the server's container, and every sidecar, has them: `["repository": "/repository"]`.
    public var claims: [String: String] = [:]
    /// ConfigMaps and where the server's container, and every sidecar, has them: `["pgbackrest-config": "/etc/pgbackrest"]`.
    public var configMaps: [String: String] = [:]
    /// Further containers, which share the data and all other mounts: name and command. They run in `image`.
    public var sidecars: [String: [String]] = [:]
    public var serviceAccount: String?
    /// Seconds that a pod has to end after SIGTERM.
    public var gracePeriod = 20

    public init(_ name: String = "postgres", bench: KubernetesBench) {
        self.name = name
        image = bench.postgresImage
    }

    /// Objects in YAML, without a namespace.
    public var manifest: String {
        """
        apiVersion: v1
        kind: Service
        metadata: {name: \(name), labels: {app: \(name)}}
        spec: {clusterIP: None, selector: {app: \(name)}, ports: [{name: postgresql, port: 5432}]}
        ---
        \(kind == .podTemplate ? "apiVersion: v1" : "apiVersion: apps/v1")
        kind: \(kindName)
        metadata: {name: \(name), labels: \(Manifest.map(labels)), annotations: \(Manifest.map(annotations))}
        \(workload)
        """
    }

    /// `statefulset/postgres`
    public var reference: String { "\(kindName.lowercased())/\(name)" }

    private var kindName: String {
        switch kind {
        case .statefulSet: "StatefulSet"
        case .deployment: "Deployment"
        case .podTemplate: "PodTemplate"
        }
    }
}

extension PostgresWorkload {
    private var workload: String {
        let claim = """
            metadata: {name: data}
            spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
            """
        let ownClaim = """
            ---
            apiVersion: v1
            kind: PersistentVolumeClaim
            \(claim.replacing("name: data", with: "name: \(dataClaim)"))
            """
        let selector = "selector: {matchLabels: {app: \(name)}}"
        switch kind {
        case .statefulSet:
            return """
                spec:
                  serviceName: \(name)
                  replicas: \(replicas)
                  \(selector)
                \(template.indented(2))
                  volumeClaimTemplates:
                  -
                \(claim.indented(4))
                """
        case .deployment:
            return """
                spec:
                  replicas: \(replicas)
                  strategy: {type: Recreate}
                  \(selector)
                \(template.indented(2))
                \(ownClaim)
                """
        case .podTemplate: return "\(template)\n\(ownClaim)"
        }
    }

    private var template: String {
        """
        template:
          metadata: {labels: \(Manifest.map(labels.merging(["app": name]) { $1 }))}
          spec:
            enableServiceLinks: false
            automountServiceAccountToken: \(serviceAccount != nil)
            \(serviceAccount.map { "serviceAccountName: \($0)" } ?? "# the default account")
            terminationGracePeriodSeconds: \(gracePeriod)
            securityContext: {fsGroup: 999}
            initContainers:
        \(initContainers.joined(separator: "\n").indented(4))
            containers:
        \(container("postgres", command: ["bash", "-ec", script], readiness: true).indented(4))
        \(sidecars.sorted { $0.key < $1.key }.map { container($0.key, command: $0.value).indented(4) }.joined(separator: "\n"))
            volumes: \(volumes)
        """
    }

    /// As a StatefulSet names it.
    private var dataClaim: String { "data-\(name)-0" }

    private var initContainers: [String] {
        let own = "mkdir -p /data/pg && chown 999:999 /data /data/pg && chmod 700 /data/pg"
        let server = Self.initContainer("own", image, ["sh", "-ec", own], ["data": "/data"])
        guard let agentImage else { return [server] }
        let copy = ["/bin/busybox", "cp", "-a", "/fleet/.", "/agent/"]
        return [server, Self.initContainer("fleet", agentImage, copy, ["fleet": "/agent"])]
    }

    private static func initContainer(
        _ name: String, _ image: String, _ command: [String], _ mounts: [String: String]
    ) -> String {
        """
        - name: \(name)
          image: \(image)
          imagePullPolicy: Never
          securityContext: {runAsUser: 0}
          command: \(Manifest.list(command))
          volumeMounts: \(Manifest.mounts(mounts))
        """
    }

    private func container(_ name: String, command: [String], readiness: Bool = false) -> String {
        let probe = #"{exec: {command: [pg_isready, -q, -h, /run/postgresql, -U, postgres]}, periodSeconds: 1}"#
        return """
            - name: \(name)
              image: \(image)
              imagePullPolicy: Never
              securityContext: {runAsUser: 999, runAsGroup: 999}
              command: \(Manifest.list(command))
              \(readiness ? "readinessProbe: \(probe)" : "# no probe")
              volumeMounts: \(Manifest.mounts(mounts))
            """
    }

    private var mounts: [String: String] {
        var mounts = claims.merging(configMaps) { $1 }.merging(["data": "/data", "run": "/run/postgresql"]) { $1 }
        if agentImage != nil { mounts["fleet"] = "/fleet" }
        return mounts
    }

    private var volumes: String {
        var volumes = ["{name: run, emptyDir: {}}"]
        if agentImage != nil { volumes.append("{name: fleet, emptyDir: {}}") }
        if kind != .statefulSet { volumes.append("{name: data, persistentVolumeClaim: {claimName: \(dataClaim)}}") }
        volumes += claims.keys.sorted().map { "{name: \($0), persistentVolumeClaim: {claimName: \($0)}}" }
        volumes += configMaps.keys.sorted().map { "{name: \($0), configMap: {name: \($0)}}" }
        return "[\(volumes.joined(separator: ", "))]"
    }

    /// Makes the data directory if there is none, and becomes the server.
    private var script: String {
        let defaults = [
            "listen_addresses": "*", "unix_socket_directories": "/run/postgresql", "shared_buffers": "32MB",
        ]
        let lines = settings.merging(defaults.merging(["jit": "off"]) { $1 }) { own, _ in own }.sorted {
            $0.key < $1.key
        }
        .map { "\($0.key) = '\($0.value.replacing("'", with: "''"))'" }
        let options = commandLine.sorted { $0.key < $1.key }
            .map { " -c '\($0.key)=\($0.value.replacing("'", with: #"'\''"#))'" }
        return """
            if [ ! -s /data/pg/PG_VERSION ]; then
              initdb -D /data/pg -A trust -U postgres --data-checksums >/dev/null
              printf 'host %s all 10.201.0.0/16 trust\\n' all replication >>/data/pg/pg_hba.conf
              cat >>/data/pg/postgresql.conf <<'END'
            \(lines.joined(separator: "\n"))
            END
            fi
            exec postgres -D /data/pg\(options.joined())
            """
    }
}

extension String {
    fileprivate func indented(_ spaces: Int) -> String {
        let margin = String(repeating: " ", count: spaces)
        return split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : margin + $0 }
            .joined(separator: "\n")
    }
}
