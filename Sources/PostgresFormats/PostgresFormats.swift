// PostgresFormats
