// FleetCommandsTests
