import FleetPluginAPI
import FleetTestSupport
import Testing

@testable import NativeEngine

/// Nothing is restored from a damaged repository.
@Suite(.serialized) struct DamageSerialTests {
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
