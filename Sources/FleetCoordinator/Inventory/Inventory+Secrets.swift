import FleetConfig
import FleetPluginAPI
import FleetPluginHost

extension Inventory {
    /// Environment variables in which tasks of this instance find the secrets of its repositories: the ones that
    /// fleet.yaml names as `{env: NAME}`. A secret in a file, or
    /// from a command, is fetched where the task runs.
    ///
    /// - Throws: `usage`.
    func repositorySecrets(of instance: String) throws -> [String: SecretReference] {
        var secrets: [String: SecretReference] = [:]
        for name in try declaration(instance).repositories {
            guard let repository = configuration.repositories[name] else { continue }
            let options = registry.descriptor(.storage, repository.storage.plugin)?.options ?? []
            let references = options.filter { $0.kind == .secret }.map { repository.storage.options.secret($0.name) }
            for case .environment(let variable)? in references + [repository.secret?.reference] {
                secrets[variable] = .environment(variable)
            }
        }
        return secrets
    }
}
