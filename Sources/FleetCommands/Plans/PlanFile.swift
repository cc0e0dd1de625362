import DurableFiles
import FleetCoordinator
import FleetPluginAPI

/// Plans in files, exact to the byte: the hash is over them.
enum PlanFile {
    /// A plan is a few kilobytes for each instance.
    private static let limit: Int64 = 64 << 20

    /// Written by its owner, read by everybody: it holds no secret, and is meant for a second pair of eyes.
    static func write(_ plan: Plan, to path: String) async throws {
        try await Disk().write(plan.kept(), to: Process.absolute(path), WriteOptions(replaces: true, mode: 0o644))
    }

    /// - Throws: `usage` for what is no plan, `refused` for one that was changed.
    static func read(_ path: String) async throws -> Plan {
        do {
            return try Plan(kept: try await Disk().read(Process.absolute(path), limit: limit), from: path)
        } catch let error as FleetError where error.code == .notFound {
            throw FleetError(
                .usage, "there is no file \(path)", hint: "write a plan with: fleet restore … --plan-out \(path)")
        }
    }
}
