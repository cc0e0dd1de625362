import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

/// The main job with an encrypted repository.
@Suite(.serialized) struct EncryptionSerial {
    private static let passphrase = "correct-horse-battery-staple"

    @Test func aRepositoryThatOnlyItsPassphraseOpens() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch, passphrase: Self.passphrase)
            let server = try fleet.server()
            let oracle = try await CommitOracle(server, in: scratch)
            try await server.query(
                "create table secrets as select 'tell-nobody-' || i t from generate_series(1, 5000) i")
            try await fleet.fleet("backup", "orders").checked()
            try await oracle.write(from: 1, count: 20)
            let target = try oracle.commits()[9].acknowledged
            try await fleet.fleet("backup", "orders", "--type", "incr").checked()
            try await fleet.fleet("backups", "verify", "orders").checked()

            // Another passphrase opens nothing, and nothing is stopped for its sake.
            let file = scratch.path("passphrase")
            try "another".write(toFile: file, atomically: false, encoding: .utf8)
            let refused = try await fleet.fleet("restore", "--instance", "orders", "--target", "\(target)", "--yes")
            #expect(refused.exitCode != 0 && refused.errors.contains("passphrase does not open"), "\(refused.errors)")
            #expect(server.isRunning)
            let status = try await fleet.fleet("status")
            #expect(status.text.contains("passphrase does not open"), "\(status.text)")
            try Self.passphrase.write(toFile: file, atomically: false, encoding: .utf8)

            let restored = try await fleet.fleet("restore", "--instance", "orders", "--target", "\(target)", "--yes")
            #expect(restored.exitCode == 0, "\(restored.errors)")
            #expect(try await oracle.violations(at: target).isEmpty)
            #expect(try await server.value("select count(*) from secrets") == "5000")

            let ahead = try await runTool(["find", server.dataDirectory, "-name", "fleet-ahead-*"])
            #expect(ahead.text.isEmpty, "what was read ahead is left: \(ahead.text)")

            // Neither the passphrase nor what it protects is anywhere but where it belongs.
            for (word, places) in [
                (Self.passphrase, [fleet.repository, scratch.path("state"), server.dataDirectory, server.logFile]),
                ("tell-nobody", [fleet.repository]), ("orders", [fleet.repository]),
            ] {
                let found = try await runTool(["grep", "-rlF", word] + places)
                #expect(found.text.isEmpty, "\(word): \(found.text)")
            }
            let names = try await runTool(["find", fleet.repository, "-name", "*orders*"])
            #expect(names.text.isEmpty, "\(names.text)")
        }
    }
}
