import FleetPluginAPI

/// How an instance's WAL comes into its archive: by the server's archiver, or through a replication slot by a receiver.
struct WALShipping: Sendable {
    let instance: String
    /// Nil where the server archives by itself.
    let slot: String?

    /// What is wrong with it; nil when nothing is.
    func fault(_ server: ServerObservation) -> FleetError? {
        guard let slot else { return archiverFault(server.archiving) }
        let hint = "run the receiver: fleet wal receive \(instance)"
        guard let found = server.slots.first(where: { $0.name == slot }) else {
            return FleetError(
                .checkFailed, "nobody receives the WAL of \(instance)",
                cause: "its server has no replication slot \(slot)", hint: hint)
        }
        if found.walStatus == "lost" {
            return FleetError(
                .checkFailed, "WAL of \(instance) was removed before it was received",
                cause: "the slot \(slot) is lost: it kept more than max_slot_wal_keep_size",
                hint: "\(hint); then make a backup: fleet backup \(instance)")
        }
        if found.walStatus == "unreserved" {
            return FleetError(
                .checkFailed, "WAL of \(instance) is about to be removed before it is received",
                cause: "the slot \(slot) keeps more than max_slot_wal_keep_size", hint: hint)
        }
        guard found.isActive else {
            return FleetError(
                .checkFailed, "nobody receives the WAL of \(instance)",
                cause: "the slot \(slot) is not in use, and the server keeps all WAL"
                    + (found.restartLSN.map { " from \($0) on" } ?? ""), hint: hint)
        }
        return nil
    }

    private func archiverFault(_ archiving: ServerObservation.Archiving) -> FleetError? {
        if archiving.mode == "off" {
            return FleetError(
                .checkFailed, "\(instance) archives no WAL: archive_mode is off",
                hint: "see: fleet instances archiving \(instance)")
        }
        guard archiving.isFailing else { return nil }
        return FleetError(
            .checkFailed,
            "archiving of \(instance) fails at \(archiving.lastFailed ?? "a segment") since "
                + (archiving.lastFailedAt?.description ?? "some time"), hint: "the server's log says why")
    }
}

/// Waits for WAL to come into an instance's archive, whoever brings it there.
struct ArchiveWait: Sendable {
    let inventory: Inventory
    let servers: any DatabaseServers

    /// Waits until everything that the instance wrote before `lsn` is archived.
    func wait(for lsn: LSN, of instance: Instance, at endpoint: Endpoint, deadline: Duration) async throws {
        guard let slot = try inventory.walSlot(of: instance) else {
            return try await servers.awaitArchived(lsn, at: endpoint, deadline: deadline)
        }
        let end = ContinuousClock.now + deadline
        while true {
            let server = try await servers.observe(endpoint, deadline: .seconds(30))
            // The receiver lets go of what every repository has.
            let kept = server.slots.first { $0.name == slot }?.restartLSN
            if let kept, kept >= lsn { return }
            guard ContinuousClock.now < end else {
                let fault = WALShipping(instance: instance.name, slot: slot).fault(server)
                throw FleetError(
                    .timedOut, "WAL of \(instance.name) up to \(lsn) did not come into the archive",
                    cause: fault?.message ?? "the receiver has come to \(kept?.description ?? "nowhere")",
                    hint: fault?.hint ?? "its own output says why")
            }
            try await ContinuousClock().sleep(for: .milliseconds(200))
        }
    }
}

extension StepContext {
    /// Waits until everything that the instance wrote before `lsn` is archived.
    func awaitArchived(_ lsn: LSN, of instance: Instance, at endpoint: Endpoint, deadline: Duration) async throws {
        try await ArchiveWait(inventory: inventory, servers: servers).wait(
            for: lsn, of: instance, at: endpoint, deadline: deadline)
    }
}
