import DurableFiles
import FleetConfig
import FleetPluginAPI
import FleetPluginHost
import FleetTestSupport
import ServerControl
import Testing

@testable import FleetCoordinator
@testable import fleet

/// What every engine must do, where its tasks are Jobs and its repository is on a claim.
@Suite(
    .serialized,
    .enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct KubernetesEngineTests {
    /// What the server sends is restored by the other suites.
    @Test func nativeConforms() async throws {
        try await KubernetesFixture.lend(.files) { fixture in try await conforms(fixture) }
    }

    @Test func pgBackRestConforms() async throws {
        let engine = KubernetesFixture.Engine.pgbackrest(global: ["repo1-path=/repo"], options: ", retention: fleet")
        try await KubernetesFixture.lend(engine) { fixture in try await conforms(fixture) }
    }

    @Test func pgBackRestWithRepositoriesOfFleetConforms() async throws {
        try await KubernetesFixture.lend(.rendered) { fixture in try await conforms(fixture) }
    }

    /// One server for all rules: each finds an empty repository.
    private func conforms(_ fixture: KubernetesFixture) async throws {
        for (number, rule) in EngineConformance.cases.enumerated() {
            try await fixture.emptyRepository()
            let bench = try await fixture.bench(state: "state-\(number)")
            do {
                try await rule.check(bench)
            } catch {
                Issue.record("\(rule): \(error)")
                // It may have failed while it was away.
                try? await bench.setReachable(true)
            }
        }
        let left = try await fixture.leftovers()
        #expect(left.isEmpty)
    }
}

extension KubernetesFixture {
    fileprivate func emptyRepository() async throws {
        try BlockingDisk.removeContents(of: repository)
        if engine.keepsItsOwn { try await pgBackRest("stanza-create").checked() }
    }

    /// Composed as a coordinator does it.
    ///
    /// - Parameter state: the name of its state directory.
    fileprivate func bench(state: String) async throws -> EngineConformance.Bench {
        let registry = bundledPlugins()
        let resolve: SecretResolver = { throw FleetError(.configuration, "there is no secret \($0)") }
        let inventory = try Inventory(
            configuration: ConfigLoader(descriptors: registry.descriptors).load(path: configuration),
            registry: registry, servers: PostgresDatabaseServers(resolve: resolve),
            stateDirectory: infra.scratch.path(state), executable: FleetFixture.binary, resolve: resolve)
        let orders = try inventory.instance("orders")
        let repository = repository
        let keepsItsOwn = engine.keepsItsOwn
        return EngineConformance.Bench(
            engine: try inventory.engine(of: "orders"), context: try await inventory.workingContext(of: orders),
            sql: { try await sql($0) }, carryOut: { try await carryOut($0, at: orders, inventory) },
            withPlace: { body in try await withPlace(beside: orders, inventory, body) },
            setReachable: { isReachable in
                // Read in the pod, by the server's user, or from here, by root, whom no mode keeps out.
                let away = repository + ".away"
                if isReachable {
                    if !keepsItsOwn { try BlockingDisk.rename(away, to: repository) }
                    try BlockingDisk.setMode(0o777, of: repository)
                } else {
                    try BlockingDisk.setMode(0, of: repository)
                    if !keepsItsOwn { try BlockingDisk.rename(repository, to: away) }
                }
            })
    }

    private func carryOut(_ task: TaskSpec, at place: Instance, _ inventory: Inventory) async throws {
        let follower = TaskFollower(
            engine: try inventory.engine(of: "orders"), instance: place, platform: try inventory.platform(of: place),
            secrets: [:], note: { _ in }, progress: { _ in })
        _ = try await follower.carryOut(task)
    }

    private func withPlace(
        beside source: Instance, _ inventory: Inventory, _ body: (EngineConformance.Place) async throws -> Void
    ) async throws {
        let platform = try inventory.platform(of: source)
        let request = ScratchRequest(
            name: "orders-copy", source: source, place: nil, majorVersion: "\(infra.bench.postgresMajor)",
            tablespaces: [])
        let scratch = try await platform.makeScratch(request)
        let context = try await inventory.workingContext(of: source, at: scratch.instance)
        guard let directory = context.location?.dataDirectory else {
            throw FixtureError("the scratch instance has no location")
        }
        let place = EngineConformance.Place(
            dataDirectory: directory, context: context, settings: scratch.settings,
            carryOut: { try await carryOut($0, at: scratch.instance, inventory) },
            start: { try await platform.start(scratch.instance, deadline: .seconds(120)) },
            sql: { try await answer(to: $0) })
        do {
            try await body(place)
        } catch {
            try? await platform.removeScratch(request)
            throw error
        }
        try await platform.removeScratch(request)
    }

    /// Of the copy's server, which may have begun and not be consistent yet: then it lets nobody in.
    private func answer(to query: String) async throws -> String {
        let end = ContinuousClock.now + .seconds(60)
        while true {
            do {
                return try await infra.sql(query, in: "orders-copy-0")
            } catch {
                guard "\(error)".contains("not yet accepting connections"), ContinuousClock.now < end else {
                    throw error
                }
                try await Task.sleep(for: .milliseconds(300))
            }
        }
    }
}
