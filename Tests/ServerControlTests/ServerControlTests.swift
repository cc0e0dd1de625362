// ServerControlTests
