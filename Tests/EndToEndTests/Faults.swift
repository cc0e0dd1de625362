import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

extension FleetFixture {
    /// The newest run's identifier.
    func lastRun() async throws -> String {
        guard let run = try await json("runs", "list")["runs"]?.array?.first?["id"]?.string else {
            throw FixtureError("there is no run")
        }
        return run
    }

    /// Rows that are there, rows that are deleted afterwards, and a moment between the two.
    func momentBeforeADisaster(_ name: String = "orders", filler: Int = 0) async throws -> Timestamp {
        let server = try server(name)
        try await server.query("create table kept as select generate_series(1, 500) as id")
        try await fleet("backup", name).checked()
        for _ in 0..<filler {
            try await server.query("insert into kept select 1000 from generate_series(1, 1)")
            try await server.query("select pg_switch_wal()")
        }
        try await server.query("delete from kept where id = 1000")
        let text = try await server.value("select (extract(epoch from clock_timestamp()) * 1000000)::bigint")
        guard let microseconds = Int64(text) else { throw FixtureError(text) }
        try await Task.sleep(for: .milliseconds(50))
        try await server.query("delete from kept")
        return Timestamp(microseconds: microseconds + 20_000)
    }

    func status(of name: String) async throws -> JSONValue {
        let instances = try await json("status")["instances"]?.array ?? []
        guard let status = instances.first(where: { $0["name"]?.string == name }) else {
            throw FixtureError("status says nothing of \(name)")
        }
        return status
    }

    /// Files of the repository whose path contains `part`, sorted.
    func objects(_ part: String) -> [String] {
        let all = FileManager.default.enumerator(atPath: repository)?.compactMap { $0 as? String } ?? []
        return all.filter { path in
            var isFolder: ObjCBool = false
            let isThere = FileManager.default.fileExists(atPath: "\(repository)/\(path)", isDirectory: &isFolder)
            return isThere && path.contains(part) && !isFolder.boolValue
        }.sorted()
    }
}

/// Changes one bit at the end of each of so many equal parts of a file but the last. One alone may change nothing: of a
/// thousand bits of a zstd frame one is of no meaning (measured), and decodes to what was stored.
func flipBits(_ path: String, parts: Int = 6) throws {
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    for part in 1..<parts { bytes[bytes.startIndex + part * bytes.count / parts] ^= 1 }
    try bytes.write(to: URL(fileURLWithPath: path))
}
