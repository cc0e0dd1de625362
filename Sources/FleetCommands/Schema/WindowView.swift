import FleetCoordinator
import FleetPluginAPI

/// A recovery window in JSON.
struct WindowView: Hashable, Sendable, Codable {
    var timeline: UInt32
    var start: Timestamp
    var end: Timestamp
    var startLSN: String
    var endLSN: String
    /// Labels of the backups inside.
    var backups: [String]
    /// `newest`, `gap`, `abandoned`, `trimmed`.
    var ending: String
    /// The first segment that is missing, where the ending is a gap.
    var missing: String?

    init(_ window: RecoveryWindow) {
        timeline = window.timeline
        start = window.start
        end = window.end
        startLSN = "\(window.startLSN)"
        endLSN = "\(window.endLSN)"
        backups = window.backups
        switch window.ending {
        case .newest: ending = "newest"
        case .abandoned: ending = "abandoned"
        case .trimmed: ending = "trimmed"
        case .gap(let segment):
            ending = "gap"
            missing = segment
        }
    }
}
