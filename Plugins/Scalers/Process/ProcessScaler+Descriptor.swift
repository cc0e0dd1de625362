public import FleetPluginAPI

extension ProcessScaler {
    public static let descriptor = PluginDescriptor(
        role: .scaler, name: "process", version: "1.0.0",
        summary: "Applications on this host: a command that fleet keeps running, or a systemd unit.",
        options: [
            OptionSpec(
                "systemdUnit", .string,
                help: "The unit that is the application; stopped and started through systemctl. Instead of command."),
            OptionSpec(
                "command", .stringList,
                help: "The program and its arguments, without a shell. fleet keeps copies of it alive."),
            OptionSpec(
                "count", .integer(minimum: 0, maximum: 1000), default: 1,
                help: "How many copies run when it is started for the first time; `fleet applications scale` changes "
                    + "that later."),
            OptionSpec("environment", .stringMap, help: "Environment variables of the command; no secrets."),
            OptionSpec(
                "user", .string, help: "Who runs the command, when fleet runs as root; fleet's own user without it."),
            OptionSpec("workingDirectory", .path, help: "Where the command runs; / without it."),
            OptionSpec("logFile", .path, help: "What the copies write; a file in fleet's state without it."),
            OptionSpec("readyFile", .path, help: "A copy is ready only while this file exists."),
            OptionSpec(
                "startSeconds", .integer(minimum: 0, maximum: 3600), default: 1,
                help: "A copy is ready when it has been alive for so many seconds."),
            OptionSpec(
                "stopSeconds", .integer(minimum: 0, maximum: 3600), default: 10,
                help: "Seconds that a copy has between SIGTERM and SIGKILL."),
        ])
}
