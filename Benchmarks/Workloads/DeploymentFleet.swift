import FleetPluginAPI
import KubernetesClient
import KubernetesWorkloads

struct Place: Sendable {
    var context: String
    /// What its proxy writes about requests.
    var log: String
}

/// Many Deployments over some clusters, in namespaces that are made for them and deleted.
///
/// They are paused before they ever had a pod: their controller acknowledges each change and makes none, so that what
/// is measured is fleet and not the cluster's capacity for pods.
struct DeploymentFleet: Sendable {
    static let copies = 3

    let kubeconfig: String
    let places: [Place]
    let namespaces: [String]
    let workloads: [KubernetesWorkload]

    init(kubeconfig: String, places: [Place], namespaces: [String]) {
        self.kubeconfig = kubeconfig
        self.places = places
        self.namespaces = namespaces
        workloads = []
    }

    private init(_ other: DeploymentFleet, _ workloads: [KubernetesWorkload]) {
        kubeconfig = other.kubeconfig
        places = other.places
        namespaces = other.namespaces
        self.workloads = workloads
    }

    /// Makes `count` Deployments, as many in each cluster.
    func created(_ count: Int) async throws -> DeploymentFleet {
        var workloads: [KubernetesWorkload] = []
        for place in places {
            let client = try await client(place)
            for namespace in namespaces {
                let object: JSONValue = [
                    "apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(namespace)],
                ]
                try await client.create(object, kind: .namespaces)
            }
            let references = (0..<count / places.count).map {
                WorkloadReference(.deployment, namespace: namespaces[$0 % namespaces.count], name: "app-\($0)")
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for reference in references {
                    group.addTask {
                        try await client.create(
                            Self.deployment(reference.name), kind: .deployments, namespace: reference.namespace)
                    }
                }
                try await group.waitForAll()
            }
            let login = KubernetesLogin(kubeconfig: kubeconfig, context: place.context)
            workloads += references.map { KubernetesWorkload($0, login: login) }
        }
        return DeploymentFleet(self, workloads)
    }

    func delete() async {
        for place in places {
            for namespace in namespaces {
                try? await client(place).delete(ObjectReference(.namespaces, name: namespace))
            }
        }
    }

    private func client(_ place: Place) async throws -> KubernetesClient {
        try KubernetesClient(await .load(files: [kubeconfig], context: place.context))
    }

    private static func deployment(_ name: String) -> JSONValue {
        let labels: JSONValue = ["app": .string(name)]
        let container: JSONValue = ["name": "main", "image": "nowhere.invalid/none"]
        return [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": .string(name)],
            "spec": [
                "replicas": .integer(Int64(copies)), "paused": true, "selector": ["matchLabels": labels],
                "template": ["metadata": ["labels": labels], "spec": ["containers": [container]]],
            ],
        ]
    }
}
