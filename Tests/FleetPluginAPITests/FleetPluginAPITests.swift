// FleetPluginAPITests
