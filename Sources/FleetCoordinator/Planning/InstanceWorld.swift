import FleetPluginAPI
import PostgresFormats

/// An instance as it is found when a plan is made: its process, its server, its archive.
struct InstanceWorld: Sendable {
    var instance: Instance
    var process: ProcessObservation
    /// Nil when it does not run.
    var server: ServerObservation?
    var endpoint: Endpoint?
    var catalog: Catalog
    /// WAL of the running server that is not archived yet.
    var tail: [Catalog.ArchivedSegment]
    var tailBytes: [WALSegmentName: [UInt8]]

    var isPrimary: Bool { server?.isInRecovery == false }

    /// Known from elsewhere: a half restored data directory has no identity of its own.
    var assumedIdentifier: SystemIdentifier?

    var systemIdentifier: SystemIdentifier? {
        server?.systemIdentifier ?? process.control?.systemIdentifier ?? assumedIdentifier
    }

    /// Of the server, else of its data directory, else of the newest backup.
    var timeline: TimelineID? {
        server?.timeline ?? process.control?.timeline
    }
}

/// Finds out how instances are, each with deadlines of its own.
struct WorldGatherer: Sendable {
    let inventory: Inventory
    let servers: any DatabaseServers

    /// More WAL than this that is not archived means that archiving has stopped; a plan must not be made on it.
    static let longestTail: UInt64 = 1 << 30

    /// - Parameter broken: whether the server may be in a state in which it cannot be asked, as after a failed
    ///   restore; then what its platform and its archive say must do.
    /// - Throws: when anything else about the instance cannot be found out: a plan is never made on a guess.
    func gather(_ instance: Instance, broken: Bool = false) async throws -> InstanceWorld {
        let platform = try inventory.platform(of: instance)
        async let catalog = inventory.catalog(of: instance)
        let process = try await platform.observe(instance)
        var world = InstanceWorld(
            instance: instance, process: process, server: nil, endpoint: nil, catalog: Catalog(), tail: [],
            tailBytes: [:])
        if process.state == .running {
            let endpoint = try await platform.endpoint(of: instance)
            world.endpoint = endpoint
            do {
                world.server = try await servers.observe(endpoint, deadline: .seconds(20))
            } catch  where broken {
                world.server = nil
            }
        }
        world.catalog = try await catalog
        try await readTail(&world)
        return world
    }

    /// Reads what a running primary has written since its last archived segment; changes nothing there.
    private func readTail(_ world: inout InstanceWorld) async throws {
        guard let server = world.server, !server.isInRecovery, let endpoint = world.endpoint else { return }
        let size = server.walSegmentSize
        let archived = world.catalog.segments.last { $0.name.timeline == server.timeline }
        let current = WALSegmentName(timeline: server.timeline, containing: server.lsn, segmentSize: size)
        let fork = world.catalog.timelines.first { $0.timeline == server.timeline }?.ancestors.last?.switchLSN
        // Without anything archived on this timeline there is nothing to join the tail to but the fork.
        guard let first = archived?.name.next.number ?? fork.map({ $0.rawValue / size }) else { return }
        let start = WALSegmentName(timeline: server.timeline, number: first, segmentSize: size)
        guard start.start <= server.lsn else { return }
        guard current.end.rawValue - start.start.rawValue <= Self.longestTail else {
            throw FleetError(
                .refused, "\(world.instance.name) has not archived any WAL since \(start)",
                cause: "\(ByteSize.text(server.lsn - start.start)) wait", hint: "mend archiving first: fleet status")
        }
        var bytes: [WALSegmentName: [UInt8]] = [:]
        try await servers.readWAL(
            from: start.start, timeline: server.timeline, at: endpoint, deadline: .seconds(60)
        ) { position, piece in
            Self.lay(piece, at: position, into: &bytes, timeline: server.timeline, size: size)
        }
        for (name, content) in bytes.sorted(by: { $0.key < $1.key }) {
            let whole = content + [UInt8](repeating: 0, count: Int(size) - content.count)
            world.tailBytes[name] = whole
            world.tail.append(
                Catalog.ArchivedSegment(
                    name: name, archivedAt: nil, storedSize: 0, summary: try WALSegment(whole, name: name).summary))
        }
    }

    /// Puts a piece of WAL into the segments it belongs to.
    private static func lay(
        _ piece: [UInt8], at position: LSN, into segments: inout [WALSegmentName: [UInt8]], timeline: TimelineID,
        size: UInt64
    ) {
        var rest = piece[...]
        var position = position
        while !rest.isEmpty {
            let name = WALSegmentName(timeline: timeline, containing: position, segmentSize: size)
            let part = rest.prefix(Int(name.end.rawValue - position.rawValue))
            segments[name, default: []] += part
            rest = rest.dropFirst(part.count)
            position = position + UInt64(part.count)
        }
    }
}
