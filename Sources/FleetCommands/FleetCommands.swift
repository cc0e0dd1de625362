// FleetCommands
