import FleetPluginAPI
import FoundationEssentials
import Synchronization

/// Takes a label for a backup and keeps its claim young while the backup is made.
final class ClaimKeeper: Sendable {
    private let instance: InstanceRepository
    /// What is made, which may be a full one where something else was asked for.
    let kind: BackupRecord.Kind
    private let state: Mutex<State>

    private struct State {
        var claim: BackupClaim
        var refreshedAt = ContinuousClock.now
        var triedAt = ContinuousClock.now
    }

    /// - Parameters:
    ///   - label: nil for one that is made of kind, key and time.
    ///   - parents: labels of the backups whose packs the new one refers to.
    init(
        instance: InstanceRepository, label: String? = nil, kind: BackupRecord.Kind, key: String, at time: Timestamp,
        parents: [String]
    ) {
        self.instance = instance
        self.kind = kind
        state = Mutex(
            State(
                claim: BackupClaim(
                    key: key, label: label ?? BackupName.make(key: key, kind: kind, at: time), startedAt: time,
                    host: ProcessInfo.processInfo.hostName, parents: parents)))
    }

    var label: String { state.withLock { $0.claim.label } }

    /// Claims the label; where an earlier attempt left something under it, one of the seconds after.
    func take() async throws {
        while true {
            do {
                let claim = state.withLock { $0.claim }
                try await instance.storage.put(
                    instance.keys.claim(claim.label), SealedJSON.encode(claim), condition: .absent)
                return state.withLock { $0.refreshedAt = .now }
            } catch let error as FleetError where error.code == .alreadyExists {
                state.withLock { state in
                    state.claim.startedAt = state.claim.startedAt + .seconds(1)
                    state.claim.label = BackupName.make(key: state.claim.key, kind: kind, at: state.claim.startedAt)
                }
            }
        }
    }

    /// Claims this label and no other, for work that goes on with what an earlier attempt left under it.
    ///
    /// - Throws: `conflict` while somebody else seems to be at it.
    func takeOver() async throws {
        let claim = state.withLock { $0.claim }
        let key = instance.keys.claim(claim.label)
        if let other = try await instance.storage.head(key) {
            guard .now - other.modified > BackupClaim.silence else {
                throw FleetError(
                    .conflict, "somebody else is writing the backup \(claim.label)",
                    cause: "\(key) was written \(DurationText.text(.now - other.modified)) ago",
                    hint:
                        "wait until they are done; a writer that died is given up after \(DurationText.text(BackupClaim.silence))"
                )
            }
            try await instance.storage.delete(key)
        }
        do {
            try await instance.storage.put(key, SealedJSON.encode(claim), condition: .absent)
        } catch let error as FleetError where error.code == .alreadyExists {
            throw FleetError(.conflict, "somebody else has begun to write the backup \(claim.label)")
        }
        state.withLock { $0.refreshedAt = .now }
    }

    /// Gives the label back; nothing was written under it.
    func drop() async throws {
        try await instance.storage.delete(instance.keys.claim(label))
    }

    /// Puts the claim again when it is time. One attempt may fail; many may not.
    func refresh() async throws {
        let due = state.withLock { state in
            guard ContinuousClock.now - state.triedAt > BackupClaim.refresh else { return nil as BackupClaim? }
            state.triedAt = .now
            return state.claim
        }
        guard let due else { return }
        do {
            try await instance.storage.put(instance.keys.claim(due.label), SealedJSON.encode(due), condition: .any)
            state.withLock { $0.refreshedAt = .now }
        } catch {
            try check()
        }
    }

    /// - Throws: `failed` when an expiry may take the backup for dead.
    func check() throws {
        let age = state.withLock { ContinuousClock.now - $0.refreshedAt }
        guard age < BackupClaim.grace else {
            throw FleetError(
                .failed, "the backup \(label) is given up",
                cause: "its claim could not be renewed for \(DurationText.text(BackupClaim.grace))")
        }
    }
}
