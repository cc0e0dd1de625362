import FleetPluginAPI

/// What pgBackRest found, from the text it writes:
///
///     stanza: main
///     status: error
///       archiveId: 15-1, total WAL checked: 5, total valid WAL: 4
///         missing: 0, checksum invalid: 0, size invalid: 0, other: 1
///       backup: 20261126-021555F, status: invalid, total files checked: 964, total valid files: 963
///         missing: 0, checksum invalid: 1, size invalid: 0, other: 0
///
/// pgBackRest source: `src/command/verify/verify.c`.
struct VerifyReport: Hashable, Sendable, Codable {
    struct Finding: Hashable, Sendable, Codable {
        /// A backup's label, a part of the archive, or a file.
        var object: String
        var error: FleetError
    }

    /// Labels of the backups that were read.
    var backups: [String] = []
    var files = 0
    var archivedFiles = 0
    var findings: [Finding] = []

    /// - Parameter messages: what it said on the way, which names the files.
    /// - Throws: `protocolViolation` when nothing in it says how it ended: what is not known is not well.
    init(_ lines: [String], messages: [String]) throws {
        var status: String?
        var subject = ""
        for line in lines {
            let fields = Self.fields(line)
            if let label = fields["backup"] {
                subject = label
                backups.append(label)
                files += Self.count(fields["total files checked"])
                if let said = fields["status"], said != "valid" { add(label, "pgBackRest says that it is \(said)") }
            } else if let archive = fields["archiveId"] {
                subject = "archive \(archive)"
                archivedFiles += Self.count(fields["total WAL checked"])
                let valid = Self.count(fields["total valid WAL"])
                if valid < Self.count(fields["total WAL checked"]) { add(subject, "not all of its WAL is sound") }
            } else if let said = fields["status"], fields.count == 1 {
                status = said
            }
            addCounts(fields, subject)
        }
        for message in messages { addFile(message) }
        guard status != nil || !backups.isEmpty || archivedFiles > 0 else {
            throw FleetError(
                .protocolViolation, "pgBackRest does not say what its verification found",
                cause: lines.last ?? "it wrote nothing", hint: "run pgbackrest verify --output=text by hand")
        }
        if let status, status != "ok", findings.isEmpty { add("the stanza", "pgBackRest says: \(status)") }
    }

    mutating func add(_ object: String, _ message: String) {
        let finding = Finding(object: object, error: FleetError(.corrupted, message))
        if !findings.contains(finding) { findings.append(finding) }
    }

    private mutating func addCounts(_ fields: [String: String], _ subject: String) {
        for name in ["missing", "checksum invalid", "size invalid", "other"] {
            let count = Self.count(fields[name])
            if count > 0 { add(subject, "\(count) of its files: \(name)") }
        }
    }

    /// `invalid checksum '20261126-021555F/pg_data/base/1/1255.gz'`,
    /// `invalid result 15-1/0000000100000000/00…04-396….gz: [29] …`
    private mutating func addFile(_ message: String) {
        guard message.hasPrefix("invalid ") else { return }
        let words = message.split(separator: " ", maxSplits: 2)
        guard words.count == 3 else { return }
        let name = words[2].split(separator: "'").first.map(String.init) ?? String(words[2])
        add(name.split(separator: ":").first.map(String.init) ?? name, "invalid \(words[1])")
    }

    /// Drops what was found of backups that were not asked for; the archive counts for all.
    mutating func keep(_ labels: [String]) {
        guard !labels.isEmpty else { return }
        let others = backups.filter { !labels.contains($0) }
        backups.removeAll(where: others.contains)
        findings.removeAll { finding in
            others.contains { finding.object == $0 || finding.object.hasPrefix($0 + "/") }
        }
    }

    /// A backup that pgBackRest lists and did not read is not known to be sound.
    mutating func demand(_ labels: [String]) throws {
        for label in labels where !backups.contains(label) { add(label, "pgBackRest did not verify it") }
    }

    /// `name: value` pairs between commas.
    private static func fields(_ line: String) -> [String: String] {
        var fields: [String: String] = [:]
        for part in line.split(separator: ",") {
            guard let colon = part.firstIndex(of: ":") else { continue }
            fields[trimmed(part[..<colon])] = trimmed(part[part.index(after: colon)...])
        }
        return fields
    }

    private static func count(_ text: String?) -> Int { text.flatMap { Int($0) } ?? 0 }

    private static func trimmed(_ text: some StringProtocol) -> String {
        String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
