import FleetConfig
public import FleetPluginAPI
import FleetStore

extension Coordinator {
    /// Looks at instances and applications, many at a time, each with a deadline: a dead one costs its own row.
    ///
    /// - Parameter clusters: nil for all.
    public func status(clusters: Set<String>? = nil) async -> FleetStatus {
        let wanted: @Sendable (String) -> Bool = { clusters?.contains($0) ?? true }
        async let instances = bounded(inventory.instances.filter { wanted($0.cluster) }) { await self.status(of: $0) }
        async let applications = bounded(inventory.applications.filter { wanted($0.cluster) }) {
            await self.status(of: $0)
        }
        async let sets = sets(wanted)
        let status = await FleetStatus(
            instances: instances, applications: applications, sets: sets, observedAt: now)
        for instance in status.instances {
            if let value = try? CanonicalJSON.value(instance) {
                // The picture that could not be kept is still shown.
                try? await store.saveObservation(
                    subject: "instance/\(instance.instance)", value: value, at: instance.observedAt)
            }
        }
        return status
    }

    private func sets(_ wanted: (String) -> Bool) async -> [SetStatus] {
        var found: [SetStatus] = []
        for (name, declared) in inventory.configuration.restoreSets.sorted(by: { $0.key < $1.key }) {
            let clusters = declared.members.compactMap { inventory.configuration.instances[$0]?.cluster }
            guard clusters.contains(where: wanted) else { continue }
            var status = SetStatus(set: name, members: declared.members)
            do {
                status.lastMark = try await store.marks(of: name, limit: 200).first {
                    $0.state == .archived && $0.kind != .loose
                }
            } catch {
                status.problem = FleetError(error, "the marks of \(name) cannot be read")
            }
            found.append(status)
        }
        return found
    }

    /// One instance.
    public func status(of instance: Instance) async -> InstanceStatus {
        var status = InstanceStatus(
            instance: instance.name, cluster: instance.cluster, environment: instance.environment,
            labels: instance.labels, state: nil, server: nil, lastBackup: nil, backups: nil, windows: [],
            repositories: [], problems: [], observedAt: now)
        status.walSlot = (try? inventory.walSlot(of: instance)) ?? nil
        async let catalog = Attempt { try await self.inventory.catalog(of: instance) }
        async let server = Attempt { try await self.serverState(of: instance) }
        async let uses = Attempt { try await self.repositoryUse(of: instance) }
        switch await catalog.result {
        case .success(let catalog):
            let whole = catalog.backups.filter { $0.problem == nil }
            status.lastBackup = whole.max { $0.stopTime < $1.stopTime }
            status.backups = whole.count
            status.problems += catalog.backups.compactMap { backup in
                backup.problem.map {
                    FleetError(
                        .checkFailed, "the backup \(backup.label) of \(instance.name) cannot be restored", cause: $0)
                }
            }
            status.windows = RecoveryWindow.all(in: ArchiveMap(catalog), backups: catalog.backups)
            status.problems += catalog.problems.map(\.error)
        case .failure(let error): status.problems.append(error)
        }
        switch await server.result {
        case .success(let found):
            status.state = found.process.state
            status.server = found.server
            if let problem = found.problem { status.problems.append(problem) }
            status.problems += Self.judge(found.process, of: instance.name)
        case .failure(let error): status.problems.append(error)
        }
        switch await uses.result {
        case .success(let uses): status.repositories = uses
        case .failure(let error) where status.problems.isEmpty: status.problems.append(error)
        case .failure: break
        }
        status.problems += Self.judge(status)
        return status
    }

    /// The state by the platform, and the server's own word where it runs.
    private func serverState(
        of instance: Instance
    ) async throws -> (process: ProcessObservation, server: ServerObservation?, problem: FleetError?) {
        let platform = try inventory.platform(of: instance)
        let process = try await platform.observe(instance)
        guard process.state == .running else { return (process, nil, nil) }
        do {
            let endpoint = try await platform.endpoint(of: instance)
            return (process, try await servers.observe(endpoint, deadline: .seconds(5)), nil)
        } catch {
            return (process, nil, FleetError(error, instance.name))
        }
    }

    private func repositoryUse(of instance: Instance) async throws -> [InstanceStatus.RepositoryUse] {
        var uses: [InstanceStatus.RepositoryUse] = []
        for repository in try inventory.repositories(of: instance.name) {
            uses.append(
                InstanceStatus.RepositoryUse(
                    name: repository.name, usage: try await repository.storage.usage()))
        }
        return uses
    }

    /// What is wrong with the server as its platform sees it.
    private static func judge(_ process: ProcessObservation, of instance: String) -> [FleetError] {
        guard process.state != .running else {
            return process.remarks.map { FleetError(.checkFailed, "\(instance): \($0)") }
        }
        let remarks = process.remarks.joined(separator: "; ")
        return [
            FleetError(
                .unavailable, "\(instance) is \(process.state.rawValue)", cause: remarks.isEmpty ? nil : remarks)
        ]
    }

    /// What is wrong with what was found.
    private static func judge(_ status: InstanceStatus) -> [FleetError] {
        var problems: [FleetError] = []
        if let server = status.server, !server.isInRecovery,
            let fault = WALShipping(instance: status.instance, slot: status.walSlot).fault(server)
        {
            problems.append(fault)
        }
        problems += status.windows.compactMap { gap(after: $0, of: status) }
        if status.backups == 0 {
            problems.append(
                FleetError(
                    .checkFailed, "\(status.instance) has no backup", hint: "make one: fleet backup \(status.instance)")
            )
        }
        return problems
    }

    /// A hole in WAL: the times after it are lost to restores until the next backup.
    private static func gap(after window: RecoveryWindow, of status: InstanceStatus) -> FleetError? {
        guard case .gap(let missing) = window.ending else { return nil }
        let next = status.windows.first { $0.timeline == window.timeline && $0.startLSN > window.endLSN }
        return FleetError(
            .checkFailed,
            "\(status.instance) cannot be restored to a time "
                + (next.map { "between \(window.end) and \($0.start)" } ?? "after \(window.end)"),
            cause: "WAL segment \(missing) is not in the archive, though later ones are",
            hint: next == nil ? "make a backup now: fleet backup \(status.instance)" : nil)
    }

    /// Looks at applications alone; every one is asked, each with a deadline.
    ///
    /// - Parameter clusters: nil for all.
    public func applicationStatus(clusters: Set<String>? = nil) async -> [ApplicationStatus] {
        await bounded(inventory.applications.filter { clusters?.contains($0.cluster) ?? true }) {
            await self.status(of: $0)
        }
    }

    private func status(of application: Application) async -> ApplicationStatus {
        let attempt = await Attempt { try await self.inventory.scaler(of: application.name).observe() }
        var status = ApplicationStatus(
            application: application.name, cluster: application.cluster, environment: application.environment,
            uses: application.uses, scale: nil, problem: nil)
        switch attempt.result {
        case .success(let scale): status.scale = scale
        case .failure(let error): status.problem = error
        }
        return status
    }
}

/// What came of something that may fail or take too long.
struct Attempt<Value: Sendable>: Sendable {
    let result: Result<Value, FleetError>

    static var patience: Duration { .seconds(15) }

    init(_ body: @escaping @Sendable () async throws -> Value) async {
        result = await withTaskGroup(of: Result<Value, FleetError>.self) { group in
            group.addTask {
                do {
                    return .success(try await body())
                } catch {
                    return .failure(FleetError(error, "it could not be observed"))
                }
            }
            group.addTask {
                try? await Task.sleep(for: Self.patience)
                return .failure(
                    FleetError(.timedOut, "no answer within \(DurationText.text(Self.patience))"))
            }
            defer { group.cancelAll() }
            return await group.next() ?? .failure(FleetError(.failed, "nothing was tried"))
        }
    }
}

/// Does the same for many, at most so many at a time, keeping their order.
func bounded<Item: Sendable, Value: Sendable>(
    _ items: [Item], limit: Int = 32, _ body: @escaping @Sendable (Item) async -> Value
) async -> [Value] {
    await withTaskGroup(of: (Int, Value).self) { group in
        var results: [Int: Value] = [:]
        for (index, item) in items.enumerated() {
            if index >= limit, let (done, value) = await group.next() { results[done] = value }
            group.addTask { (index, await body(item)) }
        }
        for await (done, value) in group { results[done] = value }
        return items.indices.compactMap { results[$0] }
    }
}
