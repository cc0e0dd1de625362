public import FleetPluginAPI

// What every Kubernetes object has in its metadata.
extension JSONValue {
    /// The value at the end of a chain of members; nil where one is missing.
    public subscript(path first: String, _ rest: String...) -> JSONValue? {
        rest.reduce(self[first]) { $0?[$1] }
    }

    public var objectName: String? { self["metadata"]?["name"]?.string }
    public var objectNamespace: String? { self["metadata"]?["namespace"]?.string }
    public var objectUID: String? { self["metadata"]?["uid"]?.string }
    public var resourceVersion: String? { self["metadata"]?["resourceVersion"]?.string }
    public var labels: [String: String] { self["metadata"]?["labels"]?.object?.compactMapValues(\.string) ?? [:] }
    public var annotations: [String: String] {
        self["metadata"]?["annotations"]?.object?.compactMapValues(\.string) ?? [:]
    }
    /// Whether its deletion has begun; finalizers or a grace period keep it there.
    public var isTerminating: Bool { self["metadata"]?["deletionTimestamp"]?.string != nil }
}
