// FleetCoordinator
