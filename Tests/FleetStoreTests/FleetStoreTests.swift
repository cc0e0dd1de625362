// FleetStoreTests
