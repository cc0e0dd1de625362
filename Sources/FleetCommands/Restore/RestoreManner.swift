import ArgumentParser
import FleetConfig
import FleetCoordinator
import FleetPluginAPI

/// How a restore goes.
struct RestoreManner: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Restore beside the source, as a server of its own of this name, in a place of the platform's choice or "
                + "the one given: a directory on hosts (./copy, /srv/copy), a namespace in Kubernetes. Source and "
                + "applications stay as they are.", valueName: "name[=place]"))
    var into: String?

    @Flag(help: "With --into: leave out the masking: of the instances, so that the copy holds the data as they are.")
    var unmasked = false

    @Flag(
        help: """
            Do the same in copies beside the sources first, to the same target from the same backups; only when these \
            have passed every check, the plan for the instances themselves is shown.
            """)
    var rehearse = false

    @Option(
        help: """
            How the restore can be taken back: auto (by the archive, or by the kept data directory where there is no \
            archive), set-aside (keep the data directory: needs its size again), none.
            """)
    var wayBack: RestoreInput.WayBackChoice = .auto

    @Option(help: "Sessions that remain when the applications are down: refuse (turn back) or terminate (end them).")
    var sessions: RestoreOptions.Sessions = .refuse

    @Option(
        help: """
            When a step fails: auto (put everything back while no data was touched, or when the checks fail; else \
            hold), hold, put-back.
            """)
    var onFailure: RestoreOptions.OnFailure = .auto

    @Option(
        help: ArgumentHelp(
            "Environments one after the other: what is restored for the first alone, and its applications, come first, "
                + "and must be well before the next; rollout: of fleet.yaml says what else is asked in between.",
            valueName: "dev,prod"))
    var stages: String?

    @Flag(help: "No new full backup afterwards.") var noBackup = false

    func options(in inventory: Inventory) throws -> RestoreOptions {
        RestoreOptions(
            sessions: sessions, onFailure: onFailure, stages: try chosenStages(inventory),
            backupAfterwards: !noBackup && into == nil, parallel: inventory.configuration.rollout.parallel,
            parallelPerCluster: inventory.configuration.rollout.parallelPerCluster)
    }

    /// - Throws: `usage` for an environment that no cluster has.
    private func chosenStages(_ inventory: Inventory) throws -> [String] {
        guard let stages else { return inventory.configuration.rollout.stages.map(\.environment) }
        let known = Set(inventory.configuration.clusters.values.map(\.environment))
        return try stages.split(separator: ",").map { part in
            let name = String(part.filter { $0 != " " })
            guard known.contains(name) else {
                throw FleetError(
                    .usage, "--stages: no cluster has the environment \(name)",
                    hint: "there are: " + known.sorted().joined(separator: ", "))
            }
            return name
        }
    }

    /// `NAME` or `NAME=PLACE`. A place with a slash is a path, and meant from here; any other is the platform's word.
    ///
    /// - Parameter isMasked: whether what instances declare to be hidden is hidden in the copy.
    static func parse(into text: String, isMasked: Bool = true) throws -> RestoreInput.Into {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        let isLabel =
            !name.isEmpty && name.utf8.count <= 40 && name.first != "-" && name.last != "-"
            && name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        guard isLabel else {
            throw ValidationError("--into: \(name) is no name: use a-z, 0-9 and -, at most 40 of them")
        }
        guard parts.count == 2 else { return RestoreInput.Into(name: name, place: nil, isMasked: isMasked) }
        guard !parts[1].isEmpty else { throw ValidationError("--into: there is no place after =") }
        let place = String(parts[1])
        return RestoreInput.Into(
            name: name, place: place.contains("/") ? Process.absolute(place) : place, isMasked: isMasked)
    }
}
