public import FleetPluginAPI

/// Objects of one kind as they were at one moment.
public struct KubernetesList: Hashable, Sendable {
    /// Each with its `apiVersion` and `kind`, which servers leave out in lists.
    public var items: [JSONValue]
    /// Opaque; a watch goes on from it.
    public var resourceVersion: String

    public init(items: [JSONValue], resourceVersion: String) {
        self.items = items
        self.resourceVersion = resourceVersion
    }
}
