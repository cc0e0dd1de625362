import DurableFiles
import FleetCoordinator
import FleetPluginAPI
import FleetStore
import ProcessRunner
import TerminalUI

/// The demo, chapter by chapter: a fleet at work, a disaster, the way back, the proof.
struct DemoStory: Sendable {
    let coordinator: Coordinator
    let layout: DemoLayout
    let voice: DemoVoice

    private var servers: DemoServers { DemoServers(layout: layout, coordinator: coordinator) }

    func tell() async throws {
        try await buildFleet()
        try await backUp()
        try await openShop()
        let disaster = try await loseEverything()
        try await prove(disaster, repaired: try await restore(to: disaster.before))
    }

    private func buildFleet() async throws {
        voice.chapter("A fleet", "two real PostgreSQL servers, prod and dev, that archive their WAL through fleet")
        // The servers archive as the user that owns them.
        for directory in [layout.repository, layout.agents] {
            try BlockingDisk.makeDirectories(
                directory, owner: FileOwner(user: layout.owner.userID, group: layout.owner.groupID))
        }
        let servers = servers
        try await voice.watch("initdb, start, 5,000 orders each") {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for environment in DemoLayout.environments {
                    group.addTask { try await servers.make(environment) }
                }
                try await group.waitForAll()
            }
        }
    }

    private func backUp() async throws {
        voice.chapter("A backup", "fleet backup shop-prod shop-dev")
        let plan = try await coordinator.planBackup(["shop-dev", "shop-prod"], kind: .full)
        try await carryOut(plan)
    }

    private func openShop() async throws {
        voice.chapter("A live application", "two copies in prod, one in dev; each order is acknowledged and noted")
        for application in coordinator.inventory.applications {
            guard let scaler = try coordinator.inventory.scaler(of: application.name) as? any SupervisingScaler else {
                throw FleetError(.unsupported, "\(application.name) cannot be started by fleet")
            }
            try await scaler.setDesired(nil)
        }
        try await voice.watch("the shop takes orders") { try await self.awaitOrders(atLeast: 60) }
        voice.fact("orders in prod", try await count())
    }

    private func awaitOrders(atLeast number: Int) async throws {
        for _ in 0..<300 {
            if try DemoProof.orders(in: layout.home("prod")).count >= number { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw FleetError(.timedOut, "the demo's application wrote no orders", hint: "its log is beside its script")
    }

    /// What was so around the disaster.
    struct Disaster: Sendable {
        /// The second before it.
        var before: Timestamp
        var rowsBefore: String
        var rowsAfter: String
    }

    private func loseEverything() async throws -> Disaster {
        voice.chapter("A disaster", "somebody runs DELETE FROM orders, without WHERE, in prod")
        let rowsBefore = try await count()
        // On a whole second, as a person would name it, with orders on both sides of it.
        let now = coordinator.now
        let before = Timestamp(microseconds: (now.microseconds / 1_000_000 + 1) * 1_000_000)
        try await Task.sleep(for: before - now + .milliseconds(400))
        try await servers.query("prod", "delete from orders")
        try await Task.sleep(for: .milliseconds(1500))
        let rowsAfter = try await count()
        voice.fact("orders before", rowsBefore)
        voice.fact("orders after", "\(rowsAfter) (the shop goes on taking new ones)")
        return Disaster(before: before, rowsBefore: rowsBefore, rowsAfter: rowsAfter)
    }

    /// Restores production; returns when its application began to come back.
    private func restore(to target: Timestamp) async throws -> Timestamp {
        voice.chapter("The way back", "fleet restore --cluster prod --target \(target)")
        let plan = try await coordinator.planRestore(
            RestoreInput(instances: ["shop-prod"], target: TargetRequest(target: .time(target))))
        try voice.show(try PlanView(plan))
        voice.say("")
        let run = try await carryOut(plan)
        let steps = try await coordinator.store.steps(of: run)
        return steps.first { $0.kind == StepKind.resume.rawValue }?.startedAt ?? coordinator.now
    }

    private func prove(_ disaster: Disaster, repaired: Timestamp) async throws {
        voice.chapter("The proof", "what the shop was told, against what the restored database holds")
        let present = try await servers.query("prod", "select id from orders").split(separator: "\n")
        let proof = DemoProof(
            orders: try DemoProof.orders(in: layout.home("prod")), present: Set(present.compactMap { Int64($0) }),
            target: disaster.before, repaired: repaired)
        voice.fact(
            "orders acknowledged before \(disaster.before)",
            "\(proof.acknowledgedBefore), of which there: \(proof.found)")
        voice.fact("orders sent between it and the repair", "\(proof.sentAfter), of which there: \(proof.wronglyThere)")
        voice.fact(
            "orders before, after the disaster, now",
            "\(disaster.rowsBefore), \(disaster.rowsAfter), \(try await count())")
        for application in await coordinator.status().applications {
            guard let scale = application.scale else { continue }
            voice.fact(application.application, "\(scale.ready) of \(scale.desired) running")
        }
        guard proof.holds else {
            throw FleetError(
                .checkFailed, "the restored database is not what the application was told",
                hint: "this must never happen; please report it with \(layout.place)")
        }
        try voice.show(WindowReport(await coordinator.windows(of: ["shop-prod"]), now: coordinator.now))
    }

    private func count() async throws -> String {
        try await servers.query("prod", "select count(*) from orders")
    }

    @discardableResult
    private func carryOut(_ plan: Plan) async throws -> String {
        let run = try await coordinator.begin(plan, confirmed: try plan.hash())
        let printer = RunPrinter(voice.console)
        let outcome: RunOutcome
        do {
            outcome = try await coordinator.carryOut(run.id, observer: printer)
        } catch {
            await printer.end()
            throw error
        }
        await printer.end()
        if let error = outcome.error { throw error }
        return run.id
    }
}
