import FleetPluginAPI
import Testing

@testable import PgBackRestEngine

/// `info --output=json` of many versions and states. Those of 2.45 were written by the program.
@Suite struct InfoTests {
    private static let repository = RepositoryKey(key: 1, name: "repo1")

    private func stanza(_ text: String, _ name: String = "main") throws -> InfoDocument.Stanza {
        try #require(try InfoDocument(Array(text.utf8)).stanza(name))
    }

    @Test func aFullAndADiffOfVersion245() throws {
        let stanza = try stanza(InfoSamples.full245)
        let records = stanza.records(in: Self.repository)
        let full = try #require(records.first)
        #expect(full.label == "20261126-021555F" && full.kind == .full && full.engine == "pgbackrest")
        #expect(full.repository == "repo1" && full.timeline == 1 && full.serverVersion == 150_000)
        #expect(full.systemIdentifier.description == "7712298173224543807")
        #expect(full.startLSN == LSN("0/2000028") && full.stopLSN == LSN("0/3000050"))
        #expect(
            full.startTime == Timestamp(seconds: 1_795_659_355) && full.stopTime == Timestamp(seconds: 1_795_659_362))
        #expect(full.size == 23_213_849 && full.storedSize == 3_075_924)
        #expect(full.references.isEmpty && full.problem == nil)
        #expect(stanza.backups.first?.annotation == ["fleet-key": "k1"])
        let diff = try #require(records.last)
        #expect(diff.kind == .diff && diff.references == ["20261126-021555F"] && diff.storedSize == 584_982)
    }

    @Test func systemIdentifiersKeepAll64Bits() throws {
        let text = InfoSamples.full245.replacing("7712298173224543807", with: "18446744073709551615")
        let record = try #require(try stanza(text).records(in: Self.repository).first)
        #expect(record.systemIdentifier.rawValue == .max && record.problem == nil)
    }

    @Test func theWALOfABackupIsNamedWhole() throws {
        let backup = try #require(try stanza(InfoSamples.full245).backups.first)
        #expect(backup.neededSegments == ["000000010000000000000002", "000000010000000000000003"])
        let long = InfoSamples.full245
            .replacing(#""stop":"000000010000000000000003""#, with: #""stop":"000000010000000000000005""#)
            .replacing("0/3000050", with: "0/5000050")
        #expect(try stanza(long).backups.first?.neededSegments.count == 4)
        let odd = InfoSamples.full245.replacing("0/3000050", with: "9/3000050")
        #expect(try stanza(odd).backups.first?.neededSegments.count == 2)
    }

    /// Older versions tell of no repositories, no annotations and no LSNs; an old backup has no reference list.
    @Test func anOldAnswerIsUnderstood() throws {
        let stanza = try stanza(InfoSamples.old)
        #expect(stanza.repositories.map(\.key) == [1] && stanza.repositories.first?.status.code == 0)
        let record = try #require(stanza.records(in: Self.repository).first)
        #expect(record.serverVersion == 90_600 && record.problem?.contains("where it begins") == true)
    }

    /// With block incremental backups the size in the repository is not told; the lock tells how far a backup is; and
    /// there are members nobody has heard of.
    @Test func aNewAnswerIsUnderstood() throws {
        let stanza = try stanza(InfoSamples.new)
        let lock = try #require(stanza.status.lock)
        #expect(lock.held && lock.size == 1000 && lock.sizeComplete == 250)
        let records = stanza.records(in: Self.repository)
        #expect(records.map(\.storedSize) == [3_075_924, 120_000])
        #expect(records.allSatisfy { $0.problem == nil })
    }

    @Test func twoRepositoriesAreTwo() throws {
        let stanza = try stanza(InfoSamples.twoRepositories)
        #expect(stanza.records(in: Self.repository).map(\.label) == ["20261126-021555F"])
        let second = stanza.records(in: RepositoryKey(key: 2, name: "offsite"))
        #expect(second.map(\.label) == ["20261127-021555F"] && second.first?.repository == "offsite")
        #expect(stanza.repositories.map(\.status.code) == [0, 99])
    }

    /// 13 upgraded to 15: each backup is of its own server, and the archive of now is the newer one's.
    @Test func anUpgradedStanzaKeepsItsServersApart() throws {
        let stanza = try stanza(InfoSamples.upgraded)
        let records = stanza.records(in: Self.repository)
        #expect(records.map(\.serverVersion) == [130_000, 150_000])
        #expect(Set(records.map(\.systemIdentifier)).count == 2)
        #expect(stanza.databases(in: 1).map(\.archiveID) == ["13-1", "15-2"])
    }

    @Test(arguments: [
        (#"{"code":1,"message":"missing stanza path"}"#, 1), (#"{"code":2,"message":"no valid backups"}"#, 2),
        (#"{"code":3,"message":"missing stanza data"}"#, 3), (#"{"code":5,"message":"x","new":[1]}"#, 5),
        (#"{"code":6}"#, 6),
    ])
    func everyStatusIsRead(_ status: String, _ code: Int) throws {
        let text = """
            [{"archive":[],"backup":[],"cipher":"none","db":[],"name":"main",
              "repo":[{"cipher":"none","key":1,"status":\(status)}],"status":\(status)}]
            """
        let stanza = try stanza(text)
        #expect(stanza.status.code == code && stanza.repositories.first?.status.code == code)
        #expect(stanza.records(in: Self.repository).isEmpty)
    }

    @Test func whatCannotBeUsedSaysWhy() throws {
        func problem(_ old: String, _ new: String) throws -> String {
            let text = InfoSamples.full245.replacing(old, with: new)
            return try stanza(text).records(in: Self.repository).compactMap(\.problem).joined(separator: "|")
        }
        #expect(try problem(#""error":false"#, #""error":true"#).contains("checksums"))
        #expect(try problem(#""lsn":{"start":"0/2000028","stop":"0/3000050"}"#, #""lsn":null"#).contains("where it"))
        #expect(
            try problem(
                #""archive":{"start":"000000010000000000000002","stop":"000000010000000000000003"}"#,
                #""archive":{"start":null,"stop":null}"#
            ).contains("stopped server"))
        #expect(
            try problem(#""reference":["20261126-021555F"]"#, #""reference":["20200101-000000F"]"#)
                .contains("20200101-000000F"))
        #expect(
            try problem(#""db":[{"id":1,"#, #""db":[{"id":7,"#).contains("which server"))
    }

    /// One backup that cannot be understood does not hide the others, nor itself.
    @Test func aBrokenPartCostsItselfOnly() throws {
        let text = InfoSamples.full245.replacing(#""type":"diff""#, with: #""type":"magic""#)
        let stanza = try stanza(text)
        #expect(stanza.records(in: Self.repository).map(\.label) == ["20261126-021555F"])
        #expect(stanza.faults.count == 1)
    }

    @Test func whatIsNoAnswerIsAnError() {
        for text in ["", "{}", "[", "ERROR: [055]: x", "\u{0}", "null"] {
            #expect(throws: FleetError.self, "\(text)") { try InfoDocument(Array(text.utf8)) }
        }
        #expect(throws: Never.self) { try InfoDocument(Array("[]".utf8)) }
        #expect((try? InfoDocument(Array("[1,null,{}]".utf8)).stanzas.isEmpty) == true)
    }

    /// Any byte may change: it is an error or another answer, never a crash.
    @Test func noDamageBreaksTheReader() {
        var generator = SystemRandomNumberGenerator()
        for sample in [InfoSamples.full245, InfoSamples.new, InfoSamples.twoRepositories] {
            for _ in 0..<400 {
                var bytes = Array(sample.utf8)
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
                }
                let document = try? InfoDocument(bytes)
                for stanza in document?.stanzas ?? [] { _ = stanza.records(in: Self.repository) }
            }
        }
    }

    @Test func kindsOfErrorsAreToldApart() {
        func code(_ message: String) -> FleetError.Code { RepositoryReading.error(message, "repo1").code }
        #expect(code("[PathOpenError] unable to list file info for path '/r': [13] Permission denied") == .denied)
        #expect(code("[HostConnectError] unable to connect to '10.0.0.1:8432'") == .unavailable)
        #expect(code("[FileMissingError] unable to load info file '/r/archive.info'\nHINT: x") == .corrupted)
        #expect(code("[CryptoError] cipher header invalid") == .denied)
        #expect(code("") == .unavailable)
    }
}
