public import FleetPluginAPI

/// What a conformance suite demands; an error that says what was broken otherwise.
public func require(_ condition: Bool, _ demand: @autoclosure () -> String) throws {
    guard condition else { throw FixtureError("not so: \(demand())") }
}

/// The act must fail with one of these codes.
public func requireError(
    _ codes: FleetError.Code..., of act: String, _ body: () async throws -> Void
) async throws {
    do {
        try await body()
    } catch let error as FleetError {
        let names = codes.map(\.rawValue).joined(separator: " or ")
        return try require(codes.contains(error.code), "\(act) fails with \(names), not with \(error.code): \(error)")
    }
    throw FixtureError("not so: \(act) fails")
}
