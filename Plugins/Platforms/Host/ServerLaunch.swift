import FleetPluginAPI
import ProcessRunner

/// The program that runs a server, as a value.
struct ServerLaunch: Sendable {
    var binDirectory: String
    var dataDirectory: String
    /// Nil where postgresql.conf lies in the data directory.
    var configFile: String?
    /// For the command line: stronger than all files.
    var settings: [String: String]

    init(_ host: HostInstance, binDirectory: String, configFile: String?) {
        self.binDirectory = binDirectory
        dataDirectory = host.dataDirectory
        self.configFile = configFile
        settings = host.options.stringMap("settings") ?? [:]
        if let port = host.options.integer("port") { settings["port"] = "\(port)" }
        if let directory = host.options.string("socketDirectory") { settings["unix_socket_directories"] = directory }
        // The file named above may name another data directory: that of the instance this one was copied from.
        if configFile != nil { settings["data_directory"] = dataDirectory }
    }

    /// `postgres -D … -c …`; what follows `-D` and `-c` is the same for `postgres -C`.
    var argv: [String] {
        ["\(binDirectory)/postgres", "-D", dataDirectory] + settingArguments
    }

    var settingArguments: [String] {
        let file = configFile.map { ["-c", "config_file=\($0)"] } ?? []
        return file + settings.sorted { $0.key < $1.key }.flatMap { ["-c", "\($0.key)=\($0.value)"] }
    }

    /// Runs in the data directory, with nothing in its environment that belongs to fleet: what is in there can be read
    /// by everything the server starts.
    func command(as owner: UserAccount) -> Command {
        Command(argv, environment: .minimal, workingDirectory: dataDirectory, user: owner)
    }

    /// Asks the configuration what a running server would use (`postgres -C NAME`).
    func query(_ name: String, as owner: UserAccount) -> Command {
        Command(
            ["\(binDirectory)/postgres", "-D", dataDirectory, "-C", name] + settingArguments, environment: .minimal,
            workingDirectory: dataDirectory, user: owner, deadline: .seconds(20))
    }
}
