// FleetPluginHostTests
