import DirectoryStorage
import FleetPluginHost
import NativeEngine

/// Every plugin that comes with fleet.
func bundledPlugins() -> PluginRegistry {
    var registry = PluginRegistry()
    registry.addEngine(NativeEngine.descriptor, verbs: NativeEngine.agentVerbs) { try NativeEngine($1) }
    registry.addStorage(DirectoryStorage.descriptor) { try DirectoryStorage($0, $1) }
    return registry
}
