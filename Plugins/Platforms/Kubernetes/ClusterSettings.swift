import FleetPluginAPI
import KubernetesClient

/// The options of a cluster's `platform:` block.
struct ClusterSettings: Sendable {
    enum Connect: String, Sendable {
        case auto, pod, forward
    }

    var cluster: String
    var kubeconfig: String?
    var context: String?
    /// Where instances and scratch places are that name no namespace.
    var namespace: String?
    var scratchNamespace: String?
    /// Holds `/fleet`.
    var agentImage: String
    var connect: Connect
    /// `resources` of a task's container, as Kubernetes has it.
    var taskResources: JSONValue?
    /// How long a task may run that has no deadline of its own.
    var taskDeadline: Duration?
    /// How long a task's pod may take to begin.
    var taskStart: Duration

    /// Whether the coordinator reaches servers through port-forwards.
    var forwards: Bool {
        switch connect {
        case .pod: false
        case .forward: true
        case .auto: !KubernetesConfiguration.isInCluster
        }
    }

    /// - Throws: `configuration`.
    init(_ options: PluginOptions, cluster: String) throws {
        self.cluster = cluster
        kubeconfig = options.string("kubeconfig")
        context = options.string("context")
        namespace = options.string("namespace")
        scratchNamespace = options.string("scratchNamespace")
        agentImage = try options.required("agentImage")
        connect = options.string("connect").flatMap { Connect(rawValue: $0) } ?? .auto
        taskResources = options.values["taskResources"]
        taskDeadline = options.duration("taskDeadline")
        taskStart = options.duration("taskStart") ?? .seconds(600)
        if let taskResources, taskResources.object == nil {
            throw FleetError(
                .configuration, "taskResources of the cluster \(cluster) is not a map",
                hint: "as in a container: {requests: {cpu: 500m, memory: 512Mi}, limits: {memory: 1Gi}}")
        }
    }
}
