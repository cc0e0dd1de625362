/// Manifests of what surrounds a server, in YAML and without a namespace. Objects are of the bench's API versions.
public enum Manifest {
    /// An application of so many pods, which answer HTTP on port 8080 with their names.
    public static func web(
        _ name: String = "web", replicas: Int = 2, labels: [String: String] = [:], annotations: [String: String] = [:],
        gracePeriod: Int = 5, bench: KubernetesBench
    ) -> String {
        let serve = """
            mkdir -p /tmp/www; hostname >/tmp/www/index.html; trap 'exit 0' TERM
            busybox httpd -f -p 8080 -h /tmp/www & wait
            """
        return """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: \(name), labels: \(map(labels)), annotations: \(map(annotations))}
            spec:
              replicas: \(replicas)
              selector: {matchLabels: {app: \(name)}}
              template:
                metadata: {labels: \(map(labels.merging(["app": name]) { $1 }))}
                spec:
                  automountServiceAccountToken: false
                  terminationGracePeriodSeconds: \(gracePeriod)
                  containers:
                  - name: web
                    image: \(bench.postgresImage)
                    imagePullPolicy: Never
                    command: \(list(["sh", "-ec", serve]))
                    ports: [{containerPort: 8080}]
                    readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
            """
    }

    /// A job that runs `command` by a schedule of cron's.
    public static func cronJob(
        _ name: String, schedule: String = "*/1 * * * *", command: [String] = ["true"], suspended: Bool = false,
        bench: KubernetesBench
    ) -> String {
        """
        apiVersion: batch/v1beta1
        kind: CronJob
        metadata: {name: \(name)}
        spec:
          schedule: \(quoted(schedule))
          suspend: \(suspended)
          jobTemplate:
            spec:
              backoffLimit: 0
              template:
                spec:
                  restartPolicy: Never
                  containers:
                  - {name: job, image: \(bench.postgresImage), imagePullPolicy: Never, command: \(list(command))}
        """
    }

    /// Keeps a Deployment's replicas between two numbers: within two seconds, and without metrics only that.
    public static func autoscaler(
        _ name: String, of deployment: String, minimum: Int, maximum: Int, annotations: [String: String] = [:]
    ) -> String {
        """
        apiVersion: autoscaling/v1
        kind: HorizontalPodAutoscaler
        metadata: {name: \(name), annotations: \(map(annotations))}
        spec:
          scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: \(deployment)}
          minReplicas: \(minimum)
          maxReplicas: \(maximum)
          targetCPUUtilizationPercentage: 80
        """
    }

    /// A JSON string, which is YAML too.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    static func list(_ values: [String]) -> String {
        "[\(values.map(quoted).joined(separator: ", "))]"
    }

    static func map(_ values: [String: String]) -> String {
        "{\(values.sorted { $0.key < $1.key }.map { "\(quoted($0.key)): \(quoted($0.value))" }.joined(separator: ", "))}"
    }

    static func mounts(_ places: [String: String]) -> String {
        let mounts = places.sorted { $0.key < $1.key }.map { "{name: \($0.key), mountPath: \($0.value)}" }
        return "[\(mounts.joined(separator: ", "))]"
    }
}
