public import ArgumentParser
public import FleetCoordinator
public import FleetPluginAPI
public import FleetStore

// Words of the domain as values of options.
extension BackupRecord.Kind: ExpressibleByArgument {}
extension MarkRecord.Kind: EnumerableFlag {}
extension RestoreInput.WayBackChoice: ExpressibleByArgument {}
extension RestoreOptions.OnFailure: ExpressibleByArgument {}
extension RestoreOptions.Sessions: ExpressibleByArgument {}
extension RunState: ExpressibleByArgument {}

/// A stretch of time as an option's value: `30d`, `1h30m`.
struct SpanArgument: ExpressibleByArgument {
    var duration: Duration

    init?(argument: String) {
        guard let duration = DurationText.parse(argument), duration > .zero else { return nil }
        self.duration = duration
    }
}
