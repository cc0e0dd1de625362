public import FleetPluginAPI

/// What an instance's repositories hold and to what it can be restored.
public struct InstanceWindows: Sendable, Codable {
    public var instance: String
    public var windows: [RecoveryWindow]
    public var backups: [BackupRecord]
    public var problems: [Catalog.Problem]
    /// Nil when the catalog was read.
    public var error: FleetError?
}

extension Coordinator {
    public func windows(of names: [String]) async -> [InstanceWindows] {
        await bounded(names) { name in
            do {
                let catalog = try await self.inventory.catalog(of: self.inventory.instance(name))
                return InstanceWindows(
                    instance: name,
                    windows: RecoveryWindow.all(in: ArchiveMap(catalog), backups: catalog.backups),
                    backups: catalog.backups, problems: catalog.problems, error: nil)
            } catch {
                return InstanceWindows(
                    instance: name, windows: [], backups: [], problems: [],
                    error: FleetError(error, "the repositories of \(name)"))
            }
        }
    }
}
