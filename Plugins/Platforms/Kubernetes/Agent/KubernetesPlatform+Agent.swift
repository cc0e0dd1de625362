public import FleetPluginAPI
import KubernetesClient
import YAML

extension KubernetesPlatform {
    /// Puts the configuration into a ConfigMap. The program comes with each pod: Jobs have the init container that
    /// copies it, and the instance's own template must have it for `archive_command`; see `integration`.
    public func installAgent(_ configuration: String, for instance: Instance) async throws -> AgentInvocation {
        let declared = try InstanceDeclaration(instance)
        let name = ObjectNames.configMap(instance.name)
        let object: JSONValue = [
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": [
                "name": .string(name),
                "labels": [
                    ObjectNames.managedBy: .string(ObjectNames.manager),
                    ObjectNames.instanceLabel: .string(ObjectNames.labelValue(instance.name)),
                ],
            ],
            "data": ["fleet.yaml": .string(configuration)],
        ]
        let client = try await link.client()
        let reference = ObjectReference(.configMaps, namespace: declared.namespace, name: name)
        _ = try await riding {
            try await client.patch(reference, .apply(object, manager: ObjectNames.manager, force: true))
        }
        return AgentInvocation(executable: AgentPlace.executable, configuration: AgentPlace.configurationFile)
    }

    public func integration(of instance: Instance) async throws -> AgentIntegration? {
        let found = try await resolve(instance)
        let patch = TemplatePatch(found, settings)
        return AgentIntegration(
            patch: patch.text,
            lack: patch.missing.isEmpty
                ? nil : "the pod template of \(found.workload) lacks \(patch.missing.joined(separator: ", "))")
    }
}
