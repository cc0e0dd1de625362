public import FleetPluginAPI
import PostgresClient

extension PostgresDatabaseServers {
    public func mask(_ mask: DataMask, at endpoint: Endpoint, deadline: Duration) async throws -> Int {
        var endpoint = endpoint
        endpoint.database = mask.database
        return try await with(endpoint, within: deadline, .foreign, "mask \(mask.name)") { connection, end in
            try await connection.query("BEGIN READ WRITE", deadline: end)
            let result = try await connection.query(mask.sql, deadline: end)
            try await connection.query("COMMIT", deadline: end)
            // `UPDATE 12`
            return result.commandTag.split(separator: " ").last.flatMap { Int($0) } ?? 0
        }
    }
}
