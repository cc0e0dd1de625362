import FleetPluginAPI
import KubernetesClient

/// The Job of a task, as a value: what it takes over from the instance's own pod, and what it does not.
struct JobManifest: Sendable {
    enum Mounts: Hashable, Sendable {
        /// No claim of the instance.
        case none
        /// As in the server's own container.
        case data
        /// The whole volume of the data directory, and nothing else.
        case volumeRoot
    }

    /// Where `.volumeRoot` is.
    static let volumeRoot = "/fleet-volume"

    var instance: KubernetesInstance
    var settings: ClusterSettings
    var name: String
    var key: String
    var purpose: String
    var call: PodTaskCall
    var environment: [String: String] = [:]
    /// Variables whose values are in the Secret that is called as the Job is.
    var secrets: [String] = []
    var mounts: Mounts
    /// The only node it may run on.
    var node: String?
    /// Whether the cluster may remove it some minutes after its end, should nobody come for it.
    var isForgotten = false

    var reference: ObjectReference { ObjectReference(.jobs, namespace: instance.namespace, name: name) }
    var secretReference: ObjectReference { ObjectReference(.secrets, namespace: instance.namespace, name: name) }

    var labels: JSONValue {
        [
            ObjectNames.managedBy: .string(ObjectNames.manager),
            ObjectNames.instanceLabel: .string(ObjectNames.labelValue(instance.name)),
            ObjectNames.taskLabel: .string(key),
        ]
    }

    var object: JSONValue {
        var spec: [String: JSONValue] = [
            "backoffLimit": 0, "completions": 1, "parallelism": 1,
            // A pod that is being deleted may write still: its successor waits until it is gone (Kubernetes 1.29,
            // KEP-3939; older servers leave the field out).
            "podReplacementPolicy": "Failed",
            "template": [
                "metadata": ["labels": labels, "annotations": Self.noSidecars], "spec": podSpec,
            ],
        ]
        if isForgotten { spec["ttlSecondsAfterFinished"] = 600 }
        if let deadline = call.deadline ?? settings.taskDeadline {
            // The program's own deadline is kept within the pod; this one is for pods that never begin.
            let seconds = (deadline + settings.taskStart).components.seconds + 60
            spec["activeDeadlineSeconds"] = .integer(seconds)
        }
        return [
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": [
                "name": .string(name), "namespace": .string(instance.namespace), "labels": labels,
                "annotations": [ObjectNames.purpose: .string(purpose)],
            ],
            "spec": .object(spec),
        ]
    }

    /// A sidecar would keep the pod running after the task has ended.
    private static let noSidecars: JSONValue = [
        "sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled",
    ]

    /// What says where a pod may run, as whom and with what rights.
    private static let inherited = [
        "serviceAccountName", "securityContext", "nodeSelector", "tolerations", "imagePullSecrets",
        "runtimeClassName", "priorityClassName", "schedulerName", "hostAliases", "dnsPolicy", "dnsConfig",
    ]

    private var podSpec: JSONValue {
        let pod = instance.pod
        var spec: [String: JSONValue] = [:]
        for name in Self.inherited { spec[name] = pod[name] }
        spec["restartPolicy"] = "Never"
        spec["enableServiceLinks"] = .bool(false)
        spec["automountServiceAccountToken"] = pod["automountServiceAccountToken"] ?? .bool(false)
        spec["terminationGracePeriodSeconds"] = 30
        // Rules about pods beside which a server must not be do not concern its tasks.
        spec["affinity"] = NodePin.affinity(pod[path: "affinity", "nodeAffinity"], node: node)
        let agent = AgentPlace(instance, settings)
        let withConfiguration = mounts != .volumeRoot
        let taken = takenMounts(agent)
        spec["initContainers"] = [initContainer(agent)]
        spec["containers"] = [container(taken, agent.mounts(withConfiguration: withConfiguration))]
        spec["volumes"] = .array(
            takenVolumes(for: taken) + agent.volumes(withConfiguration: withConfiguration))
        return .object(spec)
    }

    private func initContainer(_ agent: AgentPlace) -> JSONValue {
        let plain = agent.initContainer(
            securityContext: instance.container["securityContext"], resources: settings.taskResources)
        // A scratch place's own gives the volume to the server's user as well.
        guard mounts != .none, instance.object.labels[ObjectNames.scratchLabel] != nil else { return plain }
        return instance.pod["initContainers"]?.array?.first ?? plain
    }

    private func container(_ taken: [JSONValue], _ own: [JSONValue]) -> JSONValue {
        var container: [String: JSONValue] = [
            "name": .string(ObjectNames.taskContainer), "image": .string(instance.image),
            "command": .array(
                [AgentPlace.executable, "agent", PodTaskVerb.name].map { .string($0) }
                    + call.arguments.map { .string(Self.unexpanded($0)) }),
            "workingDir": "/", "env": .array(variables), "volumeMounts": .array(taken + own),
            "terminationMessagePolicy": "FallbackToLogsOnError",
        ]
        for name in ["imagePullPolicy", "securityContext", "envFrom"] { container[name] = instance.container[name] }
        container["resources"] = settings.taskResources
        return .object(container)
    }

    private var variables: [JSONValue] {
        let own = Set(environment.keys).union(secrets)
        let inherited = (instance.container["env"]?.array ?? []).filter { !own.contains($0["name"]?.string ?? "") }
        let given = environment.sorted { $0.key < $1.key }.map { name, value -> JSONValue in
            ["name": .string(name), "value": .string(Self.unexpanded(value))]
        }
        let hidden = secrets.sorted().map { variable -> JSONValue in
            [
                "name": .string(variable),
                "valueFrom": ["secretKeyRef": ["name": .string(name), "key": .string(variable)]],
            ]
        }
        return inherited + given + hidden
    }

    /// The kubelet expands `$(NAME)` in arguments and variables and takes `$$` for `$` (Kubernetes source:
    /// `third_party/forked/golang/expansion`).
    private static func unexpanded(_ text: String) -> String {
        text.replacing("$", with: "$$")
    }

    private func takenMounts(_ agent: AgentPlace) -> [JSONValue] {
        if mounts == .volumeRoot { return [AgentPlace.mount(instance.data.volume, Self.volumeRoot)] }
        let claims = DataMount.claims(instance.workload, instance.object, instance.container)
        return (instance.container["volumeMounts"]?.array ?? []).filter { mount in
            guard let path = mount["mountPath"]?.string, let volume = mount["name"]?.string else { return false }
            if agent.mountPaths.contains(FilePathText.normal(path)) { return false }
            return mounts == .data || claims[volume] == nil
        }
    }

    private func takenVolumes(for taken: [JSONValue]) -> [JSONValue] {
        let names = Set(taken.compactMap { $0["name"]?.string })
        let claims = DataMount.claims(instance.workload, instance.object, instance.container)
            .merging([instance.data.volume: instance.data.claim]) { $1 }
        let declared = (instance.pod["volumes"]?.array ?? []).filter {
            let name = $0["name"]?.string ?? ""
            return names.contains(name) && claims[name] == nil
        }
        let claimed = claims.filter { names.contains($0.key) }.sorted { $0.key < $1.key }.map {
            volume, claim -> JSONValue in
            ["name": .string(volume), "persistentVolumeClaim": ["claimName": .string(claim)]]
        }
        return declared + claimed
    }
}
