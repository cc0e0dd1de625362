// FleetTestSupport
