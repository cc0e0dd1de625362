import FleetPluginAPI

/// A copy's tables and indices are free of damage.
struct Inspect: StepPerformer {
    private static let patience = Duration.seconds(6 * 3600)

    func perform(_ context: StepContext) async throws -> JSONValue {
        let endpoint = try await context.endpoint(of: context.step.subject)
        let report = try await context.servers.checkStructure(endpoint, deadline: Self.patience)
        guard report.findings.isEmpty else {
            throw FleetError(
                .checkFailed,
                "\(report.findings.count) things are damaged in what was restored of \(context.step.subject)",
                cause: report.findings.prefix(5).joined(separator: "; "),
                hint: "look at the source with pg_amcheck: its own data may be damaged as well")
        }
        for text in report.unchecked { await context.note("not looked through: \(text)") }
        return try CanonicalJSON.value(report)
    }
}
