// PostgresFormatsTests
