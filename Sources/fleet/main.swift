import FleetCommands
import ServerControl

// The composition root: the one place that names the bundled plugins and what asks PostgreSQL servers.
await FleetProgram.main(registry: bundledPlugins()) { PostgresDatabaseServers(resolve: $0) }
