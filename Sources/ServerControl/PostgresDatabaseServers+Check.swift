public import FleetPluginAPI
import PostgresClient

extension PostgresDatabaseServers {
    /// - Throws: where the check could not be asked (connection, deadline, permission). A statement that fails by
    ///   itself is an answer: not passed.
    public func check(
        _ check: DataCheck, at endpoint: Endpoint, deadline: Duration
    ) async throws -> DataCheckResult {
        var endpoint = endpoint
        endpoint.database = check.database
        return try await with(endpoint, within: deadline, .foreign, "check \(check.name)") { connection, end in
            try await connection.query("BEGIN READ ONLY", deadline: end)
            do {
                // The extended protocol takes one statement only: nothing can follow that leaves the transaction.
                let result = try await connection.query(check.sql, deadline: end)
                return Self.judge(check, result)
            } catch let error as FleetError
                where !error.isRetriable && error.code != .denied && error.code != .cancelled
            {
                return DataCheckResult(
                    check: check.name, passed: false, value: nil, reason: error.cause ?? error.message)
            }
        }
    }

    static func judge(_ check: DataCheck, _ result: PostgresResult) -> DataCheckResult {
        let value = result.value
        func failed(_ reason: String) -> DataCheckResult {
            DataCheckResult(check: check.name, passed: false, value: value, reason: reason)
        }
        let passed = DataCheckResult(check: check.name, passed: true, value: value)
        if check.expectation == .succeeds { return passed }
        guard result.rows.count == 1, result.columns.count == 1 else {
            return failed(
                "it returned \(result.rows.count) rows of \(result.columns.count) columns where one value was expected")
        }
        guard let value else { return failed("it returned NULL") }
        switch check.expectation {
        case .succeeds: return passed
        case .equals(let expected): return value == expected ? passed : failed("\(value) is not \(expected)")
        case .atLeast(let bound): return compare(value, bound, "less", <).map(failed) ?? passed
        case .atMost(let bound): return compare(value, bound, "more", >).map(failed) ?? passed
        }
    }

    /// Why the value does not keep to the bound; nil when it does.
    private static func compare(
        _ value: String, _ bound: Double, _ relation: String, _ isOutside: (Double, Double) -> Bool
    ) -> String? {
        guard let number = Double(value), !number.isNaN else { return "\(value) is no number" }
        return isOutside(number, bound) ? "\(value) is \(relation) than \(bound)" : nil
    }
}
