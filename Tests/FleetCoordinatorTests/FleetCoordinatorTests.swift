// FleetCoordinatorTests
