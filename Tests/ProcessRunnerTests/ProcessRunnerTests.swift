// ProcessRunnerTests
