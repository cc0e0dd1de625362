import FleetPluginAPI

/// How to reach and log in to one API server: from a kubeconfig or from inside a pod.
///
/// Prints as context and server; what it holds beyond that may be secret.
public struct KubernetesConfiguration: Sendable {
    /// The kubeconfig's context, or `in-cluster`.
    public var contextName: String
    /// `https://host:port`, perhaps with a path; no slash at its end.
    public var server: String
    /// The namespace that the context names, or `default`.
    public var defaultNamespace: String
    /// Who logs in, as the kubeconfig names it; for messages.
    public var user: String { credentials.name }

    /// Certificate authorities, PEM; nil: the system's.
    var authorities: [UInt8]?
    /// Absolute; used where `authorities` is nil.
    var authorityFile: String?
    /// The name that the server's certificate is for, where it is not the URL's host.
    var serverName: String?
    /// Its URL may contain a password.
    var proxy: Secret?
    var credentials: UserCredentials

    init(contextName: String, server: String, defaultNamespace: String, credentials: UserCredentials) {
        self.contextName = contextName
        self.server = server
        self.defaultNamespace = defaultNamespace
        self.credentials = credentials
    }
}

extension KubernetesConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "\(contextName) at \(server)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["context": contextName, "server": server]) }
}
