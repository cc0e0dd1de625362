public import FleetPluginAPI

extension NativeEngine {
    public func catalog(_ context: EngineContext) async throws -> Catalog {
        let name = context.instance.name
        let readings = try await concurrently(context.repositories) { repository -> Reading in
            do {
                return Reading(repository: repository.name, catalog: try await read(repository, name))
            } catch {
                return Reading(repository: repository.name, error: FleetError(error, "it cannot be read"))
            }
        }
        if let failure = readings.last?.error, readings.allSatisfy({ $0.catalog == nil }) {
            throw FleetError(
                .unavailable, "no repository of \(name) can be read",
                cause: failure.message + (failure.cause.map { ": \($0)" } ?? ""),
                hint: failure.hint)
        }
        return Self.merge(readings)
    }

    private struct Reading: Sendable {
        var repository: String
        var catalog: Catalog?
        var error: FleetError?
    }

    private func read(_ repository: EngineContext.Repository, _ instance: String) async throws -> Catalog {
        guard let found = try await Repository.find(repository, resolve) else {
            guard try await repository.storage.list("", after: nil, limit: 1).objects.isEmpty else {
                _ = try await Repository.open(repository, resolve)
                return Catalog()
            }
            // Nobody has made it yet.
            return Catalog()
        }
        return try await InstanceCatalog.read(found.instance(instance))
    }

    /// Backups of all repositories; segments and histories of the first that has them.
    private static func merge(_ readings: [Reading]) -> Catalog {
        var merged = Catalog()
        var segments: [WALSegmentName: Catalog.ArchivedSegment] = [:]
        var timelines: [TimelineID: TimelineHistory] = [:]
        for reading in readings {
            if let error = reading.error { merged.problems.append(.init(subject: reading.repository, error: error)) }
            guard let catalog = reading.catalog else { continue }
            merged.backups += catalog.backups
            merged.problems += catalog.problems
            merged.segmentSize = merged.segmentSize ?? catalog.segmentSize
            for segment in catalog.segments where segments[segment.name] == nil { segments[segment.name] = segment }
            for history in catalog.timelines where timelines[history.timeline] == nil {
                timelines[history.timeline] = history
            }
        }
        merged.backups.sort { ($0.stopTime, $0.label) < ($1.stopTime, $1.label) }
        merged.segments = segments.values.sorted { $0.name < $1.name }
        merged.timelines = timelines.values.sorted { $0.timeline < $1.timeline }
        return merged
    }

    public func segment(_ name: WALSegmentName, _ context: EngineContext) async throws -> [UInt8] {
        var failure: FleetError?
        for repository in context.repositories {
            do {
                let instance = try await Repository.open(repository, resolve).instance(context.instance.name)
                if let content = try await instance.archive(nil).content(WALFileName(name)) { return content }
            } catch {
                failure = FleetError(error, "cannot read \(name)")
            }
        }
        throw failure ?? FleetError(.notFound, "\(name) is in no archive of \(context.instance.name)")
    }
}
