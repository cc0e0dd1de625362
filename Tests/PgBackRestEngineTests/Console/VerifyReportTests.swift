import FleetPluginAPI
import Testing

@testable import PgBackRestEngine

@Suite struct VerifyReportTests {
    private func report(_ text: String, messages: String = "") throws -> VerifyReport {
        try VerifyReport(
            text.split(separator: "\n").map(String.init), messages: messages.split(separator: "\n").map(String.init))
    }

    private static let sound = """
        stanza: main
        status: ok
          archiveId: 15-1, total WAL checked: 6, total valid WAL: 6
            missing: 0, checksum invalid: 0, size invalid: 0, other: 0
          backup: 20261126-021555F, status: valid, total files checked: 964, total valid files: 964
            missing: 0, checksum invalid: 0, size invalid: 0, other: 0
        """

    @Test func aSoundRepositoryHasNoFindings() throws {
        let report = try report(Self.sound)
        #expect(report.findings.isEmpty && report.backups == ["20261126-021555F"])
        #expect(report.files == 964 && report.archivedFiles == 6)
    }

    /// As 2.45 writes it, with exit status 0.
    @Test func damageIsFoundWhateverTheExitStatus() throws {
        let report = try report(
            """
            stanza: main
            status: error
              archiveId: 15-1, total WAL checked: 5, total valid WAL: 4
                other: 1
              backup: 20261126-021555F, status: invalid, total files checked: 964, total valid files: 963
                checksum invalid: 1
              backup: 20261126-021555F_20261126-021604D, status: valid, total files checked: 965, total valid files: 965
            """,
            messages: """
                invalid result 15-1/0000000100000000/000000010000000000000004-396b.gz: [29] raised from local-1 protocol
                invalid checksum '20261126-021555F/pg_data/base/1/1255.gz'
                """)
        let objects = Set(report.findings.map(\.object))
        #expect(objects.contains("20261126-021555F") && objects.contains("archive 15-1"))
        #expect(objects.contains("15-1/0000000100000000/000000010000000000000004-396b.gz"))
        #expect(objects.contains("20261126-021555F/pg_data/base/1/1255.gz"))
        #expect(!objects.contains("20261126-021555F_20261126-021604D"))
    }

    @Test func onlyWhatWasAskedForCounts() throws {
        var report = try report(
            """
            stanza: main
            status: error
              backup: A, status: invalid, total files checked: 4, total valid files: 3
                checksum invalid: 1
              backup: B, status: valid, total files checked: 4, total valid files: 4
            """, messages: "invalid checksum 'A/pg_data/x.gz'")
        report.keep(["B"])
        #expect(report.findings.isEmpty && report.backups == ["B"])
        try report.demand(["C"])
        #expect(report.findings.map(\.object) == ["C"])
    }

    @Test func whatIsNotSaidIsNotWell() {
        #expect(throws: FleetError.self) { try report("") }
        #expect(throws: FleetError.self) { try report("verify command end: completed successfully") }
    }

    @Test func anErrorWithoutDetailsIsOne() throws {
        #expect(try report("stanza: main\nstatus: error").findings.count == 1)
        #expect(
            try report("stanza: main\nstatus: ok\n  archiveId: 15-1, total WAL checked: 5, total valid WAL: 4")
                .findings.count == 1)
    }
}
