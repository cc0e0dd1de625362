import DurableFiles
import FleetPluginAPI
import PostgresFormats

/// postgresql.conf where it does not lie in the data directory.
enum ServerConfiguration {
    /// The declared file; else the one that the last run was given; else none when the data directory has its own;
    /// else the one under `/etc/postgresql` (Debian's place) that names this data directory. Blocks.
    static func find(for host: HostInstance, debian: String = "/etc/postgresql") throws -> String? {
        if let declared = host.options.string("configFile") { return declared }
        if let bytes = try BlockingDisk.readIfPresent(host.file("postmaster.opts"), limit: 1 << 20),
            let file = configFile(inOptions: String(decoding: bytes, as: UTF8.self)),
            try BlockingDisk.status(file, followingLinks: true) != nil
        {
            return file
        }
        if try BlockingDisk.status(host.file("postgresql.conf"), followingLinks: true) != nil { return nil }
        return try DebianCluster.all(in: debian).first { cluster in
            try sameDirectory(cluster.dataDirectory, host.dataDirectory)
        }?.configFile
    }

    /// The value of `config_file` in `postmaster.opts`: one line, the program, then each argument in double quotes
    /// that nothing escapes (CreateOptsFile in postmaster.c).
    static func configFile(inOptions text: String) -> String? {
        let line = text.prefix { !$0.isNewline }
        var arguments: [Substring] = line.split(separator: " \"", omittingEmptySubsequences: false).dropFirst().map {
            part in
            part.hasSuffix("\"") ? part.dropLast() : part
        }
        arguments.reverse()
        while let argument = arguments.popLast() {
            var setting = argument
            if argument == "-c" {
                guard let next = arguments.popLast() else { return nil }
                setting = next
            } else if argument.hasPrefix("-c") || argument.hasPrefix("--") {
                setting = argument.dropFirst(2)
            } else {
                continue
            }
            let parts = setting.split(separator: "=", maxSplits: 1)
            if parts.count == 2, ["config_file", "config-file"].contains(parts[0]), parts[1].hasPrefix("/") {
                return String(parts[1])
            }
        }
        return nil
    }

    /// Whether two paths lead to one directory. Blocks.
    static func sameDirectory(_ one: String, _ other: String) throws -> Bool {
        guard let first = try BlockingDisk.status(one, followingLinks: true),
            let second = try BlockingDisk.status(other, followingLinks: true)
        else { return one == other }
        return first.device == second.device && first.inode == second.inode
    }
}

/// A cluster as Debian's postgresql-common keeps it: `/etc/postgresql/VERSION/NAME`.
struct DebianCluster: Hashable, Sendable {
    var version: String
    var name: String
    var configFile: String
    var dataDirectory: String

    /// Every cluster there is, by version and name. Blocks.
    static func all(in root: String) throws -> [DebianCluster] {
        guard try BlockingDisk.status(root, followingLinks: true) != nil else { return [] }
        var clusters: [DebianCluster] = []
        for version in try BlockingDisk.list(root, followingLinks: true) {
            guard let names = try? BlockingDisk.list("\(root)/\(version.name)", followingLinks: true) else { continue }
            for name in names {
                let file = "\(root)/\(version.name)/\(name.name)/postgresql.conf"
                guard let bytes = try? BlockingDisk.readIfPresent(file, limit: 4 << 20) else { continue }
                guard let directory = ConfigurationFile(bytes)["data_directory"] else { continue }
                clusters.append(
                    DebianCluster(
                        version: version.name, name: name.name, configFile: file, dataDirectory: directory))
            }
        }
        return clusters
    }
}
