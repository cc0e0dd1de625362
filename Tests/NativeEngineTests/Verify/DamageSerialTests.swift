import FleetPluginAPI
import FleetTestSupport
import Testing

@testable import NativeEngine

/// Every object of a repository is damaged in turn: verify names it, and nothing is restored from it.
@Suite(.serialized) struct DamageSerialTests {
    private static func isUsed(_ key: String) -> Bool { key != "fleet-repository.json" }

    @Test func everyDamageIsFoundAndNamed() async throws {
        let original = MemoryStorage()
        try await ArchivedServer.with(original) { (archived) async throws in
            try await archived.server.query("create table t as select g from generate_series(1, 1000) g")
            let backup = try await archived.backup("one")
            _ = try await archived.backup("two")
            try await archived.archiveAll()
            #expect(try await archived.verify().findings.isEmpty)
            let snapshot = original.copy()
            for key in snapshot.keys {
                guard let bytes = snapshot[key] else { continue }
                var damages: [(String, [UInt8]?)] = [("missing", nil), ("empty", []), ("cut", Array(bytes.dropLast()))]
                for position in [0, bytes.count / 3, bytes.count / 2, bytes.count - 1] {
                    var flipped = bytes
                    flipped[position] ^= 0x01
                    damages.append(("flipped at \(position)", flipped))
                }
                if let sibling = Self.sibling(key, snapshot.keys) { damages.append(("swapped", snapshot[sibling])) }
                for (damage, content) in damages {
                    let storage = snapshot.copy()
                    storage[key] = content
                    await Self.expectFound(key, damage, storage, backup)
                }
            }
        }
    }

    private static func expectFound(_ key: String, _ damage: String, _ storage: MemoryStorage, _ backup: BackupRecord)
        async
    {
        let agent = Agent(storage)
        let request = #"{"backups":[],"key":"v","repository":"local"}"#
        let status = await agent.run("verify", request)
        let isListed = key.hasSuffix("backup.json") && damage == "missing"
        // A document that is gone is a backup that was never published; WAL past the backups may be missing.
        if isListed || damage == "missing" && key.contains("/wal/") { return }
        #expect(status != 0, "\(key) \(damage)")
        let name = key.split(separator: "/").suffix(2).joined(separator: "/")
        let told = agent.log + "\(String(describing: agent.failure))"
        #expect(
            told.contains(key) || told.contains(name.replacing(".pack", with: "")) || told.contains(labelOf(key)),
            "\(key) \(damage): \(told)")
    }

    private static func labelOf(_ key: String) -> String {
        let parts = key.split(separator: "/")
        return parts.count > 3 ? String(parts[3]) : key
    }

    /// Another object of the same kind.
    private static func sibling(_ key: String, _ keys: [String]) -> String? {
        let kind = key.split(separator: "/").dropFirst(2).first
        let name = key.split(separator: ".").last
        return keys.first {
            $0 != key && $0.split(separator: "/").dropFirst(2).first == kind && $0.split(separator: ".").last == name
        }
    }

    @Test func nothingIsRestoredFromDamage() async throws {
        let storage = MemoryStorage()
        try await ArchivedServer.with(storage) { (archived) async throws in
            try await archived.server.query("create table t as select g from generate_series(1, 1000) g")
            let backup = try await archived.backup()
            for key in storage.keys where key.contains("/packs/") || key.contains("/backups/") {
                guard let bytes = storage[key] else { continue }
                // The index at a pack's end is not needed to restore.
                let positions =
                    key.hasSuffix(".pack")
                    ? [bytes.count / 4, bytes.count / 2] : [0, bytes.count / 2, bytes.count - 2]
                for position in positions {
                    var damaged = bytes
                    damaged[position] ^= 0x01
                    storage[key] = damaged
                    let directory = try archived.place("damaged-\(position)")
                    await #expect(throws: FleetError.self, "\(key) at \(position)") {
                        try await archived.restore(backup, to: directory)
                    }
                    let control = try? FileHandleForDamage("\(directory)/global/pg_control")
                    #expect(control == nil)
                    storage[key] = bytes
                }
            }
        }
    }
}
