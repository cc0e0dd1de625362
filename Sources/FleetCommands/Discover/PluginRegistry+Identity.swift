import FleetPluginAPI
import FleetPluginHost

extension PluginRegistry {
    /// Options of an instance that say which one it is: those that its platform cannot do without.
    func identity(ofPlatform plugin: String?) -> [String] {
        descriptors.first { $0.role == .platform && $0.name == plugin }?.instanceOptions
            .filter(\.isRequired).map(\.name) ?? []
    }
}
