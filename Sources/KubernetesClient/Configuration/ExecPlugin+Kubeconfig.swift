import FleetPluginAPI

extension ExecPlugin {
    /// - Throws: `configuration`, `unsupported`; never with a value.
    init(_ exec: KubeconfigNode, cluster: KubeconfigNode) throws {
        place = "\(exec.file): \(exec.field)"
        guard let command = try exec.string("command") else { throw exec.error("\(exec.field) has no command") }
        // As kubectl does: a path is relative to its file, a name is searched in PATH.
        self.command =
            command.hasPrefix("/") || !command.contains("/")
            ? command : KubeconfigFile.directory(of: exec.file) + "/" + command
        arguments = try exec.strings("args")
        environment = [:]
        for variable in try exec.children("env") {
            guard let name = try variable.string("name") else { throw variable.error("\(variable.field) has no name") }
            environment[name] = try variable.string("value") ?? ""
        }
        guard let version = try exec.string("apiVersion") else { throw exec.error("\(exec.field) has no apiVersion") }
        guard Self.versions.contains(version) else {
            throw FleetError(
                .unsupported, "\(place): its apiVersion is not one that is known",
                hint: "use \(Self.versions.joined(separator: " or "))")
        }
        apiVersion = version
        guard try exec.string("interactiveMode") != "Always" else {
            throw FleetError(
                .unsupported, "\(place): the program wants to ask a person (interactiveMode: Always)",
                cause: "nobody may be there when a backup or a restore runs",
                hint: "use a program that works unattended, or a service account's token")
        }
        installHint = try exec.string("installHint")
        if try exec.bool("provideClusterInfo") { self.cluster = try Self.information(cluster) }
    }

    private static func information(_ cluster: KubeconfigNode) throws -> JSONValue {
        var information: [String: JSONValue] = [:]
        for key in ["server", "tls-server-name", "certificate-authority-data", "proxy-url"] {
            if let value = try cluster.string(key) { information[key] = .string(value) }
        }
        return .object(information)
    }
}
