import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

@testable import PgBackRestEngine

/// A stanza whose server is upgraded under it, by pg_upgrade itself.
@Suite(
    .serialized,
    .enabled("needs PostgreSQL 13: scripts/fetch-postgres 13", { PostgresInstallation.availableMajors.contains(13) }))
struct UpgradeSerialTests {
    @Test func theNextBackupUpgradesTheStanza() async throws {
        let options: [String: JSONValue] = ["retention": "fleet", "manageStanza": true]
        try await StanzaBench.with(options: options, major: 13) { old in
            try await old.server.query("create table kept as select generate_series(1, 100) i")
            try await old.backup("before")
            let before = try #require(try await old.engine.catalog(old.context).backups.first)
            let new = try await old.upgraded(to: 15, options: options)

            // As long as nobody has told pgBackRest, nothing is archived and nothing is said to be well.
            let catalog = try await new.engine.catalog(new.context)
            #expect(catalog.backups == [before])

            try await new.backup("after")
            let after = try await new.engine.catalog(new.context)
            #expect(after.problems.isEmpty, "\(after.problems)")
            #expect(after.backups.map(\.label).first == before.label && after.backups.count == 2)
            let made = try #require(after.backups.last)
            #expect(made.kind == .full && made.serverVersion / 10000 == 15 && before.serverVersion / 10000 == 13)
            let identifier = try await new.server.value("select system_identifier from pg_control_system()")
            #expect(made.systemIdentifier.description == identifier)
            #expect(before.systemIdentifier != made.systemIdentifier)

            try await new.server.query("insert into kept values (101)")
            let name = try await new.archiveAll()
            let segments = try await new.engine.catalog(new.context).segments
            let segment = try #require(segments.last)
            #expect("\(segment.name)" == name)
            #expect(segment.summary?.systemIdentifier == made.systemIdentifier)

            // Each backup is restored for the server that it is of.
            for (bench, backup) in [(old, before), (new, made)] {
                let directory = try bench.place("restored-\(backup.label)")
                try await bench.restore(backup, to: directory)
                let version = try String(contentsOfFile: "\(directory)/PG_VERSION", encoding: .utf8)
                #expect(version == "\(bench.server.installation.major)\n")
            }
        }
    }

    /// Whoever keeps the stanza himself is told what to do, and the stanza stays as it is.
    @Test func aStanzaThatFleetDoesNotKeepIsLeftAlone() async throws {
        try await StanzaBench.with(major: 13) { old in
            try await old.backup("before")
            let new = try await old.upgraded(to: 15)
            let error = await #expect(throws: FleetError.self) { try await new.backup("after") }
            #expect(error?.code == .drifted)
            #expect(error?.hint?.contains("stanza-upgrade") == true, "\(String(describing: error))")
            let info = try await new.stanza.run("info", "--output=json").checked().text
            #expect(!info.contains(#""version":"15""#))
            try await new.stanza.run("stanza-upgrade").checked()
            try await new.backup("after")
        }
    }
}
