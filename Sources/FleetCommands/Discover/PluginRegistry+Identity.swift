import FleetPluginAPI
import FleetPluginHost

extension PluginRegistry {
    /// Options of an instance that say which one it is: those that its platform cannot do without.
    func identity(ofPlatform plugin: String) -> [String] {
        descriptor(.platform, plugin)?.instanceOptions.filter(\.isRequired).map(\.name) ?? []
    }
}
