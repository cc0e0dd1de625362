import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

/// The main job on a server that archives nothing by itself: `fleet wal receive` beside it.
@Suite(.serialized) struct ReceiverSerial {
    @Test func aServerWithoutArchivingIsRestoredAndPutBack() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(
                in: scratch, engineOptions: ", wal: stream, segmentTimeout: 1s",
                settings: ["archive_mode": "off", "max_wal_senders": "5"])
            let server = try fleet.server()
            let oracle = try await CommitOracle(server, in: scratch)
            // Nobody is there to receive, and that is said; nothing is promised meanwhile.
            let before = try await fleet.fleet("status")
            #expect(before.text.contains("nobody receives the WAL of orders"), "\(before.text)")

            let receiver = try await fleet.launch("wal", "receive", "orders")
            do {
                try await work(fleet, server, oracle)
            } catch {
                await receiver.kill()
                throw error
            }
            receiver.child.signal(SIGTERM)
            #expect(await receiver.child.wait() == 0, "\(receiver.text)")
            try await waitUntil("its absence is noticed") {
                try await fleet.fleet("status").text.contains("nobody receives the WAL of orders")
            }
            // Without a receiver the present state could not be brought back.
            let refused = try await fleet.fleet("restore", "--instance", "orders", "--target", "-1s", "--yes")
            #expect(refused.exitCode != 0 && refused.errors.contains("nobody receives"), "\(refused.errors)")
            #expect(server.isRunning)
        }
    }

    private func work(_ fleet: FleetFixture, _ server: PostgresServer, _ oracle: CommitOracle) async throws {
        try await fleet.fleet("backup", "orders").checked()
        try await oracle.write(from: 1, count: 40)
        let target = try oracle.commits()[19].acknowledged
        let card = try await fleet.fleet("instances", "show", "orders")
        #expect(card.text.contains("received through the slot fleet_orders"), "\(card.text)")
        let restored = try await fleet.fleet("restore", "--instance", "orders", "--target", "\(target)", "--yes")
        #expect(restored.exitCode == 0, "\(restored.errors)")
        #expect(try await oracle.violations(at: target).isEmpty)
        #expect(try await fleet.timeline() == 2)
        let window = try await fleet.json("window", "orders")["instances"]?.array?.first?["windows"]?.array ?? []
        #expect(window.compactMap { $0["timeline"]?.integer } == [1, 2])
        let undone = try await fleet.fleet("runs", "undo", try await fleet.run(), "--yes")
        #expect(undone.exitCode == 0, "\(undone.errors)")
        #expect(try await server.value("select count(*) from oracle") == "40")
    }
}
