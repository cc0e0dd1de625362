/// Data directories fresh from initdb, made once per kind and copied.
actor DataDirectoryTemplates {
    static let shared = DataDirectoryTemplates()

    private struct Kind: Hashable {
        var binaries: String
        var checksums: Bool
        var segmentMegabytes: Int
    }

    private var templates: [Kind: Task<String, any Error>] = [:]

    /// Makes `path` a new data directory. Copies of one template share their system identifier: `own` asks for initdb.
    func create(
        _ path: String, with installation: PostgresInstallation, checksums: Bool, segmentMegabytes: Int, own: Bool
    ) async throws {
        if own {
            return try await Self.initdb(path, installation, checksums, segmentMegabytes)
        }
        let kind = Kind(binaries: installation.binaries, checksums: checksums, segmentMegabytes: segmentMegabytes)
        let template =
            templates[kind]
            ?? Task {
                let holder = RunDirectory.freshPath("i")
                try await runTool(["mkdir", holder]).checked()
                try installation.owner.own(holder)
                try await Self.initdb("\(holder)/data", installation, checksums, segmentMegabytes)
                return "\(holder)/data"
            }
        templates[kind] = template
        let source = try await template.value
        try await runTool(["cp", "-a", "--reflink=auto", source, path]).checked()
    }

    private static func initdb(
        _ path: String, _ installation: PostgresInstallation, _ checksums: Bool, _ segmentMegabytes: Int
    ) async throws {
        var arguments = [
            "-N", "-D", path, "-U", "postgres", "-A", "trust", "--encoding=UTF8", "--locale=C",
            "--wal-segsize=\(segmentMegabytes)",
        ]
        // 18 switched the default on.
        if checksums {
            arguments.append("-k")
        } else if installation.major >= 18 {
            arguments.append("--no-data-checksums")
        }
        try await installation.run("initdb", arguments).checked()
    }
}
