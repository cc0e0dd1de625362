import FleetPluginAPI

/// What `fleet agent pgbackrest-verify` is asked for.
struct VerifyTaskRequest: Hashable, Sendable, Codable {
    var program: PgBackRest
    /// Labels; every backup when empty.
    var backups: [String]
    var repository: RepositoryKey
    var processes: Int?
}

/// `fleet agent pgbackrest-verify`: lets pgBackRest read every file of its repository, and reads what it says of it.
///
/// Its exit status says nothing: it is 0 when files are damaged. What it does not say is not taken for well.
struct VerifyTask: Sendable {
    let request: VerifyTaskRequest
    let instance: String
    let run: PgBackRestRun

    @Sendable static func run(_ context: AgentContext, _ arguments: [String]) async -> Int32 {
        await context.perform(VerifyTaskRequest.self, arguments) { request in
            let task = VerifyTask(
                request: request, instance: context.instance.name, run: PgBackRestRun(request.program, context))
            let report = try await task.verify()
            for finding in report.findings { context.log("\(finding.object): \(finding.error)") }
            context.emit(.result(try JSONText.value(report)))
            guard let first = report.findings.first else { return }
            throw FleetError(
                .corrupted, "\(report.findings.count) of what pgBackRest holds of \(context.instance.name) is damaged",
                cause: "\(first.object): \(first.error.message)", hint: "make a new full backup; keep this repository")
        }
    }

    private var doing: String { "the verification of \(instance)" }

    private func verify() async throws -> VerifyReport {
        let stanza = try await run.info(doing).stanza(request.program.stanza)
        let listed = stanza?.records(in: request.repository) ?? []
        for label in request.backups where !listed.contains(where: { $0.label == label }) {
            throw FleetError(.notFound, "there is no backup \(label) of \(instance)", hint: "see: fleet backups list")
        }
        var options = ["--repo=\(request.repository.key)"]
        if let processes = request.processes { options.append("--process-max=\(processes)") }
        let said: PgBackRestRun.Said
        do {
            said = try await run.work("verify", options + ["--output=text", "--verbose"], doing)
        } catch let error as FleetError where error.code == .configuration {
            // Versions that know neither option say it among their messages.
            said = try await run.work("verify", options, doing)
        }
        var report = try VerifyReport(said.output.isEmpty ? said.messages : said.output, messages: said.messages)
        report.keep(request.backups)
        try report.demand(listed.map(\.label).filter { request.backups.isEmpty || request.backups.contains($0) })
        for backup in listed where request.backups.isEmpty || request.backups.contains(backup.label) {
            if let problem = backup.problem { report.add(backup.label, problem) }
        }
        if let stanza { try await checkWAL(stanza, &report) }
        return report
    }

    /// pgBackRest checks the WAL that is there; what a backup cannot be made consistent without must be there.
    private func checkWAL(_ stanza: InfoDocument.Stanza, _ report: inout VerifyReport) async throws {
        for server in stanza.databases(in: request.repository.key) {
            let path = "archive/\(request.program.stanza)/\(server.archiveID)"
            let options = ["--output=json", "--recurse", "--repo=\(request.repository.key)"]
            let archive = try ArchiveListing(
                try await run.ask(request.program.question("repo-ls", options, [path]), doing))
            for backup in stanza.backups
            where backup.database.id == server.id && backup.database.repositoryKey == request.repository.key
                && (request.backups.isEmpty || request.backups.contains(backup.label))
            {
                for name in backup.neededSegments where archive.segments[name] == nil {
                    report.add(backup.label, "WAL segment \(name), which it needs, is missing")
                }
            }
        }
    }
}
