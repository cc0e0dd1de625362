import FleetConfig
import FleetCoordinator
import FleetPluginAPI
import FleetStore
import TerminalUI

/// Starts, stops and scales applications that fleet itself keeps running.
struct ApplicationScaling: Sendable {
    let session: Session

    /// Sets how many of each should run, waits until that is so, and answers how they are then.
    ///
    /// - Parameter count: nil for as many as fleet.yaml says.
    func set(_ names: [String], to count: Int?) async throws -> ApplicationList {
        let coordinator = try await session.coordinator()
        let scalers = try names.map { ($0, try Self.supervising($0, coordinator.inventory)) }
        for (name, scaler) in scalers {
            let wanted = count ?? scaler.declaredCount
            try await scaler.setDesired(wanted)
            try await coordinator.store.audit(
                actor: coordinator.personName, action: "application.scale", subject: name,
                details: ["count": .integer(Int64(wanted))])
            if wanted == 0 {
                try await scaler.awaitGone(deadline: .seconds(60))
            } else {
                try await Self.awaitReady(name, scaler, wanted)
            }
        }
        let status = await coordinator.applicationStatus(clusters: nil)
        return ApplicationList(
            applications: status.filter { names.contains($0.application) }.map(ApplicationView.init))
    }

    private static func supervising(_ name: String, _ inventory: Inventory) throws -> any SupervisingScaler {
        guard let scaler = try inventory.scaler(of: name) as? any SupervisingScaler else {
            let plugin = inventory.configuration.applications[name]?.scaler.plugin ?? ""
            throw FleetError(
                .unsupported, "fleet does not run \(name) itself: its scaler is \(plugin)",
                hint: "start, stop and scale it where it runs; fleet takes it down and brings it back during restores")
        }
        return scaler
    }

    private static func awaitReady(_ name: String, _ scaler: any SupervisingScaler, _ count: Int) async throws {
        let clock = ContinuousClock()
        let limit = clock.now + .seconds(60)
        while true {
            let scale = try await scaler.observe()
            if scale.ready == count, scale.running == count { return }
            guard clock.now < limit else {
                throw FleetError(
                    .timedOut, "\(name) has \(scale.ready) of \(count) ready after a minute",
                    cause: scale.remarks.isEmpty ? nil : scale.remarks.joined(separator: "; "))
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}
