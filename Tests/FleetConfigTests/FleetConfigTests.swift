// FleetConfigTests
