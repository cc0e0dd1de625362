import ArgumentParser

/// What every command takes, before or after its name.
struct GlobalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The fleet.yaml to use. Without it: $FLEET_CONFIG, else the fleet.yaml here or in the nearest folder above.",
            valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Option(
        name: .shortAndLong,
        help: "How the answer is written: table for people; json or yaml, whose fields stay as they are documented.")
    var output: OutputFormat = .table

    @Flag(help: "No colours; NO_COLOR in the environment says the same.")
    var noColor = false

    @Flag(name: .shortAndLong, help: "Say more: whole hashes, journals, what was looked at.")
    var verbose = false
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case table, json, yaml
}
