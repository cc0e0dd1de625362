public import FleetPluginAPI

/// What happened to the objects that are watched.
public enum WatchEvent: Hashable, Sendable {
    /// These are all that there are now: at the beginning, and whenever events may have been missed.
    case synced([JSONValue])
    case added(JSONValue)
    case modified(JSONValue)
    /// As it was last.
    case deleted(JSONValue)
}
