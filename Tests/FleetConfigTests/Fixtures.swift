import FleetConfig
import FleetPluginAPI
import Testing

/// Plugins that between them have every kind of option.
let descriptors: [PluginDescriptor] = [
    PluginDescriptor(
        role: .platform, name: "host", version: "1", summary: "Servers on this machine.",
        options: [OptionSpec("binDirectory", .path, help: "Where pg_ctl is.")],
        instanceOptions: [
            OptionSpec("dataDirectory", .path, required: true, help: "PostgreSQL's data directory."),
            OptionSpec("stopTimeout", .duration, default: "60s", help: "How long stopping may take."),
        ]),
    PluginDescriptor(
        role: .platform, name: "kubernetes", version: "1", summary: "Servers in pods.",
        options: [
            OptionSpec("kubeconfig", .path, help: "The file that says how to reach the cluster."),
            OptionSpec("context", .string, help: "Which of its contexts."),
        ],
        instanceOptions: [OptionSpec("statefulSet", .string, required: true, help: "namespace/name")]),
    PluginDescriptor(
        role: .storage, name: "directory", version: "1", summary: "A directory.",
        options: [OptionSpec("path", .path, required: true, help: "The directory.")]),
    PluginDescriptor(
        role: .storage, name: "s3", version: "1", summary: "An S3 bucket.",
        options: [
            OptionSpec("endpoint", .url, required: true, help: "The server."),
            OptionSpec("bucket", .string, required: true, help: "The bucket."),
            OptionSpec("region", .string, default: "us-east-1", help: "The region."),
            OptionSpec("accessKey", .secret, required: true, help: "The key's id."),
            OptionSpec("secretKey", .secret, required: true, help: "The key."),
            OptionSpec("partSize", .size, default: "16MiB", help: "How large parts are."),
            OptionSpec("pathStyle", .boolean, default: false, help: "Whether the bucket stands in the path."),
        ]),
    PluginDescriptor(
        role: .engine, name: "native", version: "1", summary: "fleet's own.",
        options: [
            OptionSpec("compression", .integer(minimum: 1, maximum: 19), default: 3, help: "The level of zstd."),
            OptionSpec("checkpoint", .choice(["fast", "spread"]), default: "fast", help: "How backups begin."),
        ]),
    PluginDescriptor(
        role: .engine, name: "pgbackrest", version: "1", summary: "pgBackRest.",
        options: [OptionSpec("stanza", .string, required: true, help: "The stanza.")], keepsOwnRepositories: true),
    PluginDescriptor(
        role: .scaler, name: "deployment", version: "1", summary: "A Deployment.",
        options: [
            OptionSpec("namespace", .string, required: true, help: "Its namespace."),
            OptionSpec("name", .string, required: true, help: "Its name."),
        ]),
    PluginDescriptor(
        role: .scaler, name: "process", version: "1", summary: "A command that fleet keeps running.",
        options: [
            OptionSpec("command", .stringList, required: true, help: "Program and arguments."),
            OptionSpec("environment", .stringMap, help: "More variables for it."),
            OptionSpec("instances", .integer(minimum: 0, maximum: nil), default: 1, help: "How many."),
            OptionSpec("extra", .any, help: "Whatever."),
        ]),
    PluginDescriptor(
        role: .probe, name: "http", version: "1", summary: "A URL that answers.",
        options: [
            OptionSpec("url", .url, required: true, help: "The URL."),
            OptionSpec("errorRate", .percent, help: "How many answers may be wrong."),
        ]),
    PluginDescriptor(
        role: .notifier, name: "webhook", version: "1", summary: "A POST request.",
        options: [OptionSpec("url", .url, required: true, help: "Where to.")]),
]

func load(_ text: String, path: String = "/etc/fleet/fleet.yaml") throws(ConfigurationError) -> FleetConfiguration {
    try ConfigLoader(descriptors: descriptors, home: "/home/ann").load(Array(text.utf8), path: path)
}

/// What is wrong with a text, one line a mistake, without the file's name.
func mistakes(_ text: String, path: String = "f") throws -> [String] {
    do {
        _ = try load(text, path: path)
        return []
    } catch {
        return error.diagnostics.map { String($0.description.dropFirst(path.count + 1)) }
    }
}

/// Expects these mistakes and no others.
func expect(_ text: String, _ expected: [String], sourceLocation: SourceLocation = #_sourceLocation) throws {
    let found = try mistakes(text)
    #expect(found == expected, sourceLocation: sourceLocation)
}

let header = "apiVersion: fleet/v1\nkind: Fleet\n"

/// A valid file to make mistakes in; line 3 is where `clusters` stands.
func valid(_ changes: (String, String)...) throws -> String {
    var text =
        header + """
            clusters:
              prod: {environment: prod, platform: {plugin: host}}
            repositories:
              local: {storage: {plugin: directory, path: repository}}
            policies:
              gold: {rpo: 15m}
            instances:
              orders:
                cluster: prod
                policy: gold
                platform: {dataDirectory: /data/orders}
                engine: {plugin: native}
                repositories: [local]
            applications:
              shop:
                cluster: prod
                uses: [orders]
                scaler: {plugin: process, command: [run, shop]}

            """
    for (old, new) in changes {
        let parts = text.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
        try #require(parts.count == 2, "\(old) is not in the file")
        text = parts[0] + new + parts[1]
    }
    return text
}
