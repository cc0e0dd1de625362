// ProcessScalerTests
