public import ArgumentParser
public import FleetCoordinator
public import FleetPluginAPI
public import FleetStore

// Words of the domain as values of options.
extension BackupRecord.Kind: ExpressibleByArgument {}
extension RestoreInput.WayBackChoice: ExpressibleByArgument {}
extension RestoreOptions.OnFailure: ExpressibleByArgument {}
extension RestoreOptions.Sessions: ExpressibleByArgument {}
extension RunState: ExpressibleByArgument {}
