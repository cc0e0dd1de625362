import FleetPluginAPI

/// How fleet is mounted beside a server or in a task: the program, its configuration and repositories on claims.
struct AgentPlace: Sendable {
    static let program = "/fleet"
    static let executable = "/fleet/bin/fleet"
    static let configuration = "/fleet-config"
    static let configurationFile = "/fleet-config/fleet.yaml"
    /// Where the init container sees what is `/fleet` to the others.
    static let target = "/fleet-target"
    static let programVolume = "fleet-agent"
    static let configurationVolume = "fleet-configuration"

    var image: String
    var configMap: String
    /// Directory of a repository to its claim.
    var repositories: [String: String]

    init(_ instance: KubernetesInstance, _ settings: ClusterSettings) {
        image = settings.agentImage
        configMap = ObjectNames.configMap(instance.name)
        repositories = instance.repositoryVolumes
    }

    /// Copies the program out of its image. Runs as whom the pod's other containers run: the volume is open to all.
    func initContainer(securityContext: JSONValue?, resources: JSONValue?) -> JSONValue {
        var container: [String: JSONValue] = [
            "name": .string(ObjectNames.agentContainer), "image": .string(image),
            "command": [.string(Self.executable), "agent", "install", .string(Self.target)],
            "volumeMounts": [["name": .string(Self.programVolume), "mountPath": .string(Self.target)]],
        ]
        container["securityContext"] = securityContext
        container["resources"] = resources
        return .object(container)
    }

    /// - Parameter withConfiguration: false where nothing reads it.
    func volumes(withConfiguration: Bool = true) -> [JSONValue] {
        var volumes: [JSONValue] = [["name": .string(Self.programVolume), "emptyDir": .object([:])]]
        guard withConfiguration else { return volumes }
        // Optional: a server starts, though it cannot archive, where fleet has not put the configuration there yet.
        volumes.append([
            "name": .string(Self.configurationVolume),
            "configMap": ["name": .string(configMap), "optional": .bool(true)],
        ])
        for (index, repository) in sortedRepositories.enumerated() {
            volumes.append([
                "name": .string(Self.repositoryVolume(index)),
                "persistentVolumeClaim": ["claimName": .string(repository.claim)],
            ])
        }
        return volumes
    }

    func mounts(withConfiguration: Bool = true) -> [JSONValue] {
        var mounts: [JSONValue] = [Self.mount(Self.programVolume, Self.program, readOnly: true)]
        guard withConfiguration else { return mounts }
        mounts.append(Self.mount(Self.configurationVolume, Self.configuration, readOnly: true))
        for (index, repository) in sortedRepositories.enumerated() {
            mounts.append(Self.mount(Self.repositoryVolume(index), repository.path))
        }
        return mounts
    }

    /// Where these mounts are: what a template has there already is left out beside them.
    var mountPaths: Set<String> {
        Set([Self.program, Self.configuration] + repositories.keys.map(FilePathText.normal))
    }

    private var sortedRepositories: [(path: String, claim: String)] {
        repositories.map { (FilePathText.normal($0.key), $0.value) }.sorted { $0.0 < $1.0 }
    }

    private static func repositoryVolume(_ index: Int) -> String { "fleet-repository-\(index)" }

    static func mount(_ volume: String, _ path: String, readOnly: Bool = false) -> JSONValue {
        var mount: [String: JSONValue] = ["name": .string(volume), "mountPath": .string(path)]
        if readOnly { mount["readOnly"] = .bool(true) }
        return .object(mount)
    }
}
