// FleetPluginHost
