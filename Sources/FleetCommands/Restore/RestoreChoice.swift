import ArgumentParser
import FleetCoordinator
import FleetPluginAPI

/// What is restored to which point.
struct RestoreChoice: ParsableArguments {
    @Option(help: ArgumentHelp("Every instance of this cluster; may be repeated.", valueName: "name"))
    var cluster: [String] = []

    @Option(help: ArgumentHelp("This instance; may be repeated. With --cluster: of that cluster.", valueName: "name"))
    var instance: [String] = []

    @Option(help: ArgumentHelp("The instances that this application uses; may be repeated.", valueName: "name"))
    var application: [String] = []

    @Option(help: ArgumentHelp("All members of this restore set, to one mark.", valueName: "name"))
    var set: String?

    @Flag(
        help: """
            With --set and a time, where no mark serves: restore each member to that time by its own clock. Not \
            consistent; refused where the clocks are not known well enough.
            """)
    var approximate = false

    @Flag(
        help: """
            With --set and a time, where no mark serves: look in copies of the members, which are removed again, for the \
            latest cut at or before that time at which the set's invariants hold, and restore to it.
            """)
    var search = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Where to stop: a time with its zone, -15m, latest, …; see above.", valueName: "target"))
    var target: String

    @Option(help: ArgumentHelp("The timeline to follow instead of the present one.", valueName: "number"))
    var timeline: UInt32?

    @Option(help: ArgumentHelp("The backup to begin from instead of the best one.", valueName: "label"))
    var backup: String?

    /// - Throws: `usage`.
    func names(in inventory: Inventory) throws -> [String] {
        let used = try application.flatMap { try inventory.application($0).uses }
        guard !(instance.isEmpty && used.isEmpty && cluster.isEmpty) else {
            throw FleetError(.usage, "no instance is chosen")
        }
        let names = try InstanceChoice.names(instance + used, clusters: cluster, in: inventory)
        guard !names.isEmpty else {
            throw FleetError(.notFound, "there is no instance in \(cluster.joined(separator: ", "))")
        }
        return names
    }
}

/// Whether it is carried out.
struct RestoreConsent: ParsableArguments {
    @Flag(help: "Show the plan and do nothing.") var dryRun = false

    @Option(
        help: ArgumentHelp("Keep the plan in this file and do nothing; fleet apply carries it out.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var planOut: String?

    @Flag(help: "Wait for approvals of stages also where there is no terminal; otherwise exit with status 5 there.")
    var wait = false

    @Flag(name: .shortAndLong, help: "Do not ask.") var yes = false
}
