import FleetPluginAPI

/// A copy's data is fit to be seen by others than its source's.
struct Mask: StepPerformer {
    private static let patience = Duration.seconds(3600)

    func perform(_ context: StepContext) async throws -> JSONValue {
        let endpoint = try await context.endpoint(of: context.step.subject)
        var rows: [String: JSONValue] = [:]
        for mask in try context.member().masking {
            rows[mask.name] = .integer(
                Int64(try await context.servers.mask(mask, at: endpoint, deadline: Self.patience)))
        }
        return .object(rows)
    }
}
