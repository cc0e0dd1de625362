import ArgumentParser
import FleetCoordinator
import FleetPluginAPI

/// What is restored to which point.
struct RestoreChoice: ParsableArguments {
    @Option(help: ArgumentHelp("Every instance of this cluster; may be repeated.", valueName: "name"))
    var cluster: [String] = []

    @Option(help: ArgumentHelp("Every instance of clusters of this environment; may be repeated.", valueName: "name"))
    var environment: [String] = []

    @Option(
        help: ArgumentHelp(
            "Every instance with this label; may be repeated, then all must be there.", valueName: "key=value"))
    var label: [String] = []

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

    /// Whether anything says which instances are meant.
    var isGiven: Bool { [cluster, environment, label, instance, application].contains { !$0.isEmpty } }

    /// - Throws: `usage`, `notFound`.
    func names(in inventory: Inventory) throws -> [String] {
        let used = try application.flatMap { try inventory.application($0).uses }
        guard isGiven else { throw FleetError(.usage, "no instance is chosen") }
        let labels = try label.map { text in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw FleetError(.usage, "\(text) is no label", hint: "write --label KEY=VALUE")
            }
            return (String(parts[0]), String(parts[1]))
        }
        let names = try InstanceChoice.names(instance + used, clusters: cluster, in: inventory).filter { name in
            let found = try inventory.instance(name)
            return (environment.isEmpty || environment.contains(found.environment))
                && labels.allSatisfy { found.labels[$0.0] == $0.1 }
        }
        guard !names.isEmpty else {
            let asked = cluster + environment + label
            throw FleetError(.notFound, "there is no instance that is all of \(asked.joined(separator: ", "))")
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
