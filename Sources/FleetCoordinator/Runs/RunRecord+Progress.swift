public import FleetPluginAPI
public import FleetStore

extension RunRecord {
    static func progressKey(_ step: String) -> String { "progress/\(step)" }

    /// How far a step is, as whoever carries the run out writes down about once a second; nil where nothing is known.
    public func progress(of step: String) -> TaskProgress? {
        attributes[Self.progressKey(step)].flatMap { try? CanonicalJSON.decode(TaskProgress.self, from: $0) }
    }
}
