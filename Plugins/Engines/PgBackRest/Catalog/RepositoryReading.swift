import FleetPluginAPI

/// What one repository holds for the stanza, or why that cannot be told.
struct RepositoryReading: Sendable {
    var repository: RepositoryKey
    var backups: [BackupRecord] = []
    /// Of the server that the stanza serves now; nil while it has served none.
    var server: InfoDocument.Database?
    var archive: ArchiveListing?
    var problems: [Catalog.Problem] = []
    /// Nil when the repository was read.
    var failure: FleetError?

    static func read(
        _ repository: RepositoryKey, _ stanza: InfoDocument.Stanza?, _ questions: RepositoryQuestions
    ) async -> RepositoryReading {
        var reading = RepositoryReading(repository: repository)
        do {
            try await reading.read(stanza, questions)
        } catch {
            reading.failure = FleetError(error, "\(repository.name) cannot be read")
        }
        return reading
    }

    private mutating func read(_ stanza: InfoDocument.Stanza?, _ questions: RepositoryQuestions) async throws {
        guard let stanza, stanza.databases(in: repository.key).isEmpty == false || status(of: stanza)?.code != 1 else {
            throw try await missingStanza(questions)
        }
        guard let status = status(of: stanza) else {
            throw FleetError(
                .configuration, "pgBackRest's configuration of \(questions.instance) has no repo\(repository.key)",
                hint: "see `repos` of the engine")
        }
        try check(status, questions)
        for fault in stanza.faults {
            problems.append(
                .init(
                    subject: repository.name,
                    error: FleetError(.protocolViolation, "a part of pgbackrest info is not understood", cause: fault)))
        }
        backups = stanza.records(in: repository)
        server = stanza.databases(in: repository.key).last
        let folders = try await questions.folders(in: repository.key, "backup/\(questions.program.stanza)")
        for index in backups.indices where !folders.contains(backups[index].label) {
            backups[index].problem = "its folder is missing from the repository"
        }
        if let server {
            let archive = try await questions.archive(server.archiveID, in: repository.key)
            for name in archive.duplicates.sorted() {
                problems.append(
                    .init(
                        subject: name,
                        error: FleetError(
                            .corrupted, "\(repository.name) holds two segments \(name) with different contents",
                            hint: "two servers archive into the stanza; remove the one that is not this server's")))
            }
            self.archive = archive
        }
    }

    private func status(of stanza: InfoDocument.Stanza) -> InfoDocument.Status? {
        stanza.repositories.first { $0.key == repository.key }?.status
    }

    /// pgBackRest says of a repository that is not there, such as a disk that is not mounted, that it lacks the stanza.
    private func missingStanza(_ questions: RepositoryQuestions) async throws -> FleetError {
        let folders = try await questions.folders(in: repository.key, "")
        guard folders.contains("archive") || folders.contains("backup") else {
            return FleetError(
                .unavailable, "\(repository.name) of \(questions.instance) is not there, or nobody has made it yet",
                cause: "pgBackRest finds nothing in it",
                hint:
                    "mount or mend it; a new one is made by: pgbackrest --stanza=\(questions.program.stanza) stanza-create"
            )
        }
        return FleetError(
            .notFound, "\(repository.name) has no stanza \(questions.program.stanza)",
            hint:
                "make it with: pgbackrest --stanza=\(questions.program.stanza) stanza-create; or set `stanza` of the engine"
        )
    }

    /// Codes of `info`: 0 is well, 2 has no backups yet, 4 and 5 are about other repositories.
    private func check(_ status: InfoDocument.Status, _ questions: RepositoryQuestions) throws {
        let what = "\(repository.name) of \(questions.instance)"
        switch status.code {
        case 0, 2, 4, 5: return
        case 3:
            throw FleetError(
                .corrupted, "\(what) has lost backup.info of the stanza \(questions.program.stanza)",
                cause: status.message, hint: "restore backup/\(questions.program.stanza)/backup.info from a copy of it")
        default: throw Self.error(status.message, what)
        }
    }

    /// An error that pgBackRest met, whose kind stands first in the message: `[FileMissingError] unable to …`.
    static func error(_ message: String, _ what: String) -> FleetError {
        let kind = message.hasPrefix("[") ? message.dropFirst().prefix { $0 != "]" } : ""
        let text = message.split(whereSeparator: \.isNewline).prefix(3).joined(separator: "; ")
        switch kind {
        case "FileMissingError", "FormatError", "ChecksumError", "FileInvalidError", "JsonFormatError":
            return FleetError(.corrupted, "\(what) is damaged", cause: text)
        case "CryptoError":
            return FleetError(
                .denied, "\(what) cannot be decrypted", cause: text,
                hint: "the passphrase in pgBackRest's configuration is not this repository's")
        case _ where message.contains("[13]"), "AccessError":
            return FleetError(.denied, "\(what) may not be read", cause: text)
        default: return FleetError(.unavailable, "\(what) cannot be reached", cause: text)
        }
    }
}
