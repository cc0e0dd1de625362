import FleetPluginAPI

extension KubernetesConfiguration {
    /// The server's host as it stands in the URL, without port.
    var host: String {
        let authority = server.split(separator: "/", omittingEmptySubsequences: true).dropFirst().first ?? ""
        if authority.hasPrefix("[") { return String(authority.prefix { $0 != "]" }) + "]" }
        return String(authority.prefix { $0 != ":" })
    }

    var isLoopback: Bool {
        let host = host
        return host == "localhost" || host == "[::1]" || host.hasPrefix("127.")
    }

    /// - Throws: `refused` where credentials would go out in the clear, `configuration` for what is no URL.
    func checkServer() throws {
        if server.hasPrefix("https://"), !host.isEmpty { return }
        guard server.hasPrefix("http://"), !host.isEmpty else {
            throw FleetError(
                .configuration, "\(contextName): the server's address is no https URL",
                hint: "write https://host:port")
        }
        guard isLoopback || !credentials.areGiven else {
            throw FleetError(
                .refused, "\(contextName): the server's address begins with http://, and credentials would be sent",
                cause: "anybody on the way could read them", hint: "write https://")
        }
    }
}

extension UserCredentials {
    var areGiven: Bool { certificate != nil || token != nil || tokenFile != nil }
}
