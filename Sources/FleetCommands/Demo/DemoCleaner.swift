import DurableFiles
import FleetCoordinator
import FleetPluginAPI

/// Takes the demo down: applications, servers, files.
struct DemoCleaner: Sendable {
    let coordinator: Coordinator
    /// `.fleet/demo` as fleet.yaml names it.
    let directory: String

    /// Stops what runs; what is gone already is no error.
    func stop() async throws {
        let inventory = coordinator.inventory
        for application in inventory.applications {
            guard let scaler = try inventory.scaler(of: application.name) as? any SupervisingScaler else { continue }
            if let record = try await scaler.observe().record { try await scaler.resume(record) }
            try await scaler.setDesired(0)
            try await scaler.awaitGone(deadline: .seconds(30))
        }
        for instance in inventory.instances {
            let platform = try inventory.platform(of: instance)
            let state = try await platform.observe(instance).state
            if state != .absent, state != .stopped {
                try await platform.stop(instance, mode: .fast, deadline: .seconds(60))
            }
        }
    }

    /// Removes everything the demo made.
    static func removeFiles(_ directory: String) throws {
        let isLink = try BlockingDisk.status(directory)?.kind == .symbolicLink
        let place = isLink ? try BlockingDisk.destination(ofLink: directory) : directory
        for environment in DemoLayout.environments {
            try BlockingDisk.removeTree("/tmp/fleet-demo-\(TemporaryDirectory.tag(of: "\(place)/\(environment)"))")
        }
        try BlockingDisk.removeTree(place)
        if isLink { try BlockingDisk.remove(directory) }
    }
}
