import FleetPluginAPI
import FleetStore

/// Sessions to all members of a set, open for as long as a mark is made.
struct FenceTeam: Sendable {
    var sessions: [String: any FenceSession]
    var facts: [String: FenceFacts]
    var clocks: [String: MarkRecord.ClosedInterval]

    private static let patience = Duration.seconds(10)

    /// Connects to all members side by side and sees that a mark can be made there.
    ///
    /// - Throws: what is wrong with a member; nobody is held then.
    static func open(
        _ members: [RestoreSet.Member], _ inventory: Inventory, _ servers: any DatabaseServers,
        now: @escaping @Sendable () -> Timestamp
    ) async throws -> FenceTeam {
        let found = await withTaskGroup(of: (String, Result<Found, FleetError>).self) { group in
            for member in members {
                group.addTask {
                    do {
                        return (member.name, .success(try await open(member, inventory, servers, now)))
                    } catch {
                        return (member.name, .failure(FleetError(error, "no session").during("mark \(member.name)")))
                    }
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        var team = FenceTeam(sessions: [:], facts: [:], clocks: [:])
        var failure: FleetError?
        for member in members {
            switch found[member.name] {
            case .success(let found)?:
                team.sessions[member.name] = found.session
                team.facts[member.name] = found.facts
                team.clocks[member.name] = found.clock
            case .failure(let error)?: failure = failure ?? error
            case nil: break
            }
        }
        if let failure {
            await team.close()
            throw failure
        }
        return team
    }

    func close() async {
        for session in sessions.values { await session.close() }
    }

    private struct Found: Sendable {
        var session: any FenceSession
        var facts: FenceFacts
        var clock: MarkRecord.ClosedInterval?
    }

    private static func open(
        _ member: RestoreSet.Member, _ inventory: Inventory, _ servers: any DatabaseServers,
        _ now: @Sendable () -> Timestamp
    ) async throws -> Found {
        let endpoint = try await inventory.platform(of: member.instance).endpoint(of: member.instance)
        let session = try await servers.fence(endpoint, database: member.database, deadline: patience)
        do {
            let facts = try await session.facts(member.hold)
            guard !facts.isInRecovery else {
                throw FleetError(
                    .refused, "\(member.name) is in recovery", cause: "a mark is made on primaries",
                    hint: "let the instance's connection: lead to the primary")
            }
            guard facts.mayMark else {
                throw FleetError(
                    .denied, "the role may not make restore points on \(member.name)",
                    hint: "GRANT EXECUTE ON FUNCTION pg_create_restore_point(text) TO the role")
            }
            return Found(session: session, facts: facts, clock: try await clockAhead(session, now))
        } catch {
            await session.close()
            throw error
        }
    }

    /// Each round puts the server's clock between two readings of fleet's; what all rounds allow remains.
    private static func clockAhead(
        _ session: any FenceSession, _ now: @Sendable () -> Timestamp
    ) async throws -> MarkRecord.ClosedInterval? {
        var lower = Int64.min
        var upper = Int64.max
        for _ in 0..<4 {
            let before = now()
            let there = try await session.clock()
            let after = now()
            lower = max(lower, there.microseconds - after.microseconds)
            upper = min(upper, there.microseconds - before.microseconds)
        }
        // A clock that was set meanwhile.
        return lower <= upper ? .init(lower: lower, upper: upper) : nil
    }
}
