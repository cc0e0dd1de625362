public import FleetPluginAPI

extension HostPlatform {
    public static let descriptor = PluginDescriptor(
        role: .platform, name: "host", version: "1.0.0",
        summary: "PostgreSQL servers on this host, run by their owner or by systemd.",
        options: [
            OptionSpec(
                "scratchDirectory", .path,
                help: "Where drills and clones are put, each in a folder of its own; beside the data directory without "
                    + "it. The owners of the instances must be able to enter it."),
            OptionSpec(
                "agentDirectory", .path,
                help: "Where the program and configuration for archive_command and restore_command are put when the "
                    + "owner of an instance cannot reach fleet's own; /var/lib/fleet without it."),
        ],
        instanceOptions: [
            OptionSpec("dataDirectory", .path, required: true, help: "PostgreSQL's data directory."),
            OptionSpec(
                "owner", .string,
                help: "The operating-system user that runs the server; needed only while the data directory does not "
                    + "exist, `postgres` without it."),
            OptionSpec(
                "binDirectory", .path,
                help: "Where postgres and its tools are; found by PG_VERSION without it."),
            OptionSpec(
                "configFile", .path,
                help: "postgresql.conf where it is not in the data directory; Debian's is found without it."),
            OptionSpec(
                "systemdUnit", .string,
                help: "The unit that runs the server; it is started and stopped through systemctl then."),
            OptionSpec(
                "logFile", .path,
                help: "What the server writes to stderr; a file in fleet's state without it. Not used with systemdUnit."
            ),
            OptionSpec(
                "port", .integer(minimum: 1, maximum: 65_535),
                help: "The server's port; from its configuration without it. fleet starts the server with it."),
            OptionSpec(
                "socketDirectory", .path,
                help: "Directory of the server's Unix socket; from its configuration without it. fleet starts the "
                    + "server with it."),
            OptionSpec(
                "settings", .stringMap,
                help: "Settings put on the server's command line whenever fleet starts it; stronger than all files."),
        ])
}
