import FleetPluginAPI
import KubernetesClient

/// Pauses objects for a workload and puts them back.
///
/// Both are one JSON patch of the object as it was read, so that what it was before is noted in the same moment in
/// which it is changed, and a crash loses nothing.
struct Pauser: Sendable {
    let client: KubernetesClient
    /// The workload, as the notes name it.
    let holder: String

    /// Makes sure that the object is paused, for this workload too.
    ///
    /// - Parameter replicas: how many copies the workload has.
    /// - Returns: what was noted; nil where the object is no more.
    func hold(_ pause: Pause, run: String, replicas: Int) async throws -> (held: Pause.Held, replicas: Int)? {
        try await change(pause.target) { object in
            var note = try PauseNote.read(object, pause.target)
            var edit = ObjectEdit(object, isExact: true)
            let known = note?.holders[holder]
            // A count that was noted before a crash, and taken away since, is the true one.
            let mine = PauseNote.Holder(run: run, replicas: replicas > 0 ? replicas : known?.replicas ?? 0)
            if known != mine || !Pause.isInEffect(pause.settings, object) {
                var next = note ?? PauseNote(before: pause.settings.map { $0.before(object) }, holders: [:])
                next.holders[holder] = mine
                for setting in pause.settings { edit.set(setting.path, setting.value) }
                edit.set(PauseNote.path, .string(try JSONText.encode(next)))
                note = next
            }
            let held = Pause.Held(object: pause.target, title: pause.title, before: note?.before ?? [])
            return (edit, (held, mine.replicas))
        }
    }

    /// Lets go of an object; when nobody else holds it, everything is put back as it was.
    ///
    /// - Parameter knows: what the workload's record says of it, should the note on the object be lost; nil where the
    ///   record is gone too and nothing is left to be put back.
    func release(_ object: ObjectReference, record: Pause.Held?) async throws {
        _ = try await change(object) { found in
            var edit = ObjectEdit(found, isExact: true)
            if var note = try PauseNote.read(found, object) {
                guard note.holders.removeValue(forKey: holder) != nil else { return (edit, ()) }
                if note.holders.isEmpty {
                    for member in note.before { edit.set(member.path, member.value) }
                    edit.set(PauseNote.path, nil)
                } else {
                    edit.set(PauseNote.path, .string(try JSONText.encode(note)))
                }
            } else if let record {
                for member in record.before { edit.set(member.path, member.value) }
            }
            return (edit, ())
        }
    }

    /// Reads, changes, and begins again where somebody else was faster or the answer was lost.
    private func change<Result>(
        _ reference: ObjectReference, _ edit: (JSONValue) throws -> (ObjectEdit, Result)
    ) async throws -> Result? {
        try await Patience.ride {
            guard let object = try await client.find(reference) else { return nil }
            let (edit, result) = try edit(object)
            if !edit.isEmpty { try await client.patch(reference, edit.patch) }
            return result
        }
    }
}

extension Pause.Setting {
    func before(_ object: JSONValue) -> Pause.Before {
        Pause.Before(path: path, value: object[path: path])
    }
}
