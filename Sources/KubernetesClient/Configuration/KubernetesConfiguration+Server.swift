import FleetPluginAPI

extension KubernetesConfiguration {
    /// The server's host as it stands in the URL, without port.
    var host: String {
        let authority = authority
        if authority.hasPrefix("[") { return String(authority.prefix { $0 != "]" }) + "]" }
        return String(authority.prefix { $0 != ":" })
    }

    /// Host and port as the URL has them.
    var authority: String {
        String(server.split(separator: "/", omittingEmptySubsequences: true).dropFirst().first ?? "")
    }

    /// Host and port, with the port in any case.
    var address: String {
        let rest = authority.dropFirst(host.count)
        return host + (rest.hasPrefix(":") ? String(rest) : server.hasPrefix("https://") ? ":443" : ":80")
    }

    /// What requests are sent to: with the name that the certificate must have, the address goes another way.
    var base: String {
        guard let serverName else { return server }
        let path = server.dropFirst("https://".count + authority.count)
        let port = authority.dropFirst(host.count)
        return "https://\(serverName)\(port)\(path)"
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
    var areGiven: Bool { certificate != nil || token != nil || tokenFile != nil || exec != nil }
}
