import DeploymentScaler
import DirectoryStorage
import FleetPluginAPI
import FleetPluginHost
import HTTPProbe
import HostPlatform
import KubernetesPlatform
import LogNotifier
import NativeEngine
import PgBackRestEngine
import ProcessScaler
import S3Storage
import SQLProbe
import StatefulSetScaler
import WebhookNotifier

/// Every plugin that comes with fleet.
func bundledPlugins() -> PluginRegistry {
    var registry = PluginRegistry()
    registry.addEngine(NativeEngine.descriptor, verbs: NativeEngine.agentVerbs) {
        try NativeEngine($1, resolve: $0.resolve)
    }
    registry.addEngine(
        PgBackRestEngine.descriptor, verbs: PgBackRestEngine.agentVerbs, finder: PgBackRestEngine.finder
    ) {
        try PgBackRestEngine($0, $1)
    }
    registry.addStorage(DirectoryStorage.descriptor) { try DirectoryStorage($0, $1) }
    registry.addStorage(S3Storage.descriptor) { try S3Storage($0, $1) }
    registry.addPlatform(HostPlatform.descriptor, internalVerbs: HostPlatform.internalVerbs) {
        try HostPlatform(context: $0, options: $1)
    }
    registry.addPlatform(KubernetesPlatform.descriptor, internalVerbs: KubernetesPlatform.internalVerbs) {
        try KubernetesPlatform(context: $0, options: $1)
    }
    registry.addScaler(ProcessScaler.descriptor, internalVerbs: ProcessScaler.internalVerbs) {
        try ProcessScaler(context: $0, options: $1)
    }
    registry.addScaler(DeploymentScaler.descriptor) { try DeploymentScaler.make($0, $1) }
    registry.addScaler(StatefulSetScaler.descriptor) { try StatefulSetScaler.make($0, $1) }
    registry.addProbe(SQLProbe.descriptor) { try SQLProbe(context: $0, options: $1) }
    registry.addProbe(HTTPProbe.descriptor) { try HTTPProbe($0, $1) }
    registry.addNotifier(WebhookNotifier.descriptor) { try WebhookNotifier($0, $1) }
    registry.addNotifier(LogNotifier.descriptor) { try LogNotifier($0, $1) }
    return registry
}
