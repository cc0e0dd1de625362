public import FleetPluginAPI

/// fleet's own engine: streams base backups over the replication protocol into a repository of content-addressed
/// chunks, and archives WAL beside them.
public struct NativeEngine {}
