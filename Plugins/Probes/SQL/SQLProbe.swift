public import FleetPluginAPI

/// Judges an application by what its database says: one statement, one value, one expectation.
public struct SQLProbe: Probe {
    let name: String
    /// Nil: the only instance the application uses.
    let instance: String?
    let check: DataCheck

    public static let descriptor = PluginDescriptor(
        role: .probe, name: "sql", version: "1.0.0",
        summary: "A statement whose single value must be as expected; asked read-only.",
        options: [
            OptionSpec(
                "instance", .string,
                help: "The instance to ask; may be left out where there is only one to choose."),
            OptionSpec("database", .string, default: "postgres", help: "The database to ask in."),
            OptionSpec("sql", .string, required: true, help: "A statement that yields one value; it cannot write."),
            OptionSpec("atLeast", .any, help: "The value is a number and not smaller."),
            OptionSpec("atMost", .any, help: "The value is a number and not larger."),
            OptionSpec(
                "equals", .any,
                help: "The value is this, as text. Without atLeast, atMost and equals it suffices that the statement "
                    + "succeeds."),
        ])

    /// - Throws: `configuration` for expectations that are no numbers, or for more than one of them.
    public init(context: PluginContext, options: PluginOptions) throws {
        name = context.name
        instance = options.string("instance")
        check = DataCheck(
            name: context.name, database: options.string("database") ?? "postgres", sql: try options.required("sql"),
            expectation: try Self.expectation(options, of: context.name))
    }

    public func judge(_ context: ProbeContext) async -> ProbeVerdict {
        let chosen: (name: String, endpoint: Endpoint)
        do {
            chosen = try choose(from: context.endpoints)
        } catch {
            return .inconclusive("\(FleetError(error, name))")
        }
        do {
            let result = try await context.servers.check(check, at: chosen.endpoint, deadline: context.deadline)
            let value = result.value ?? "no value"
            if result.passed { return .pass("\(chosen.name) answers \(value)") }
            return .fail("\(chosen.name) answers \(value): \(result.reason ?? "it is not as expected")")
        } catch {
            return .inconclusive("\(chosen.name) could not be asked: \(FleetError(error, name))")
        }
    }

    private func choose(from endpoints: [String: Endpoint]) throws -> (String, Endpoint) {
        if let instance {
            guard let endpoint = endpoints[instance] else {
                throw FleetError(
                    .configuration, "the probe \(name) asks the instance \(instance), which is not there to be asked",
                    hint: "name one of: \(endpoints.keys.sorted().joined(separator: ", "))")
            }
            return (instance, endpoint)
        }
        guard let only = endpoints.first, endpoints.count == 1 else {
            throw FleetError(
                .configuration, "the probe \(name) does not say which instance it asks",
                hint: "set `instance` to one of: \(endpoints.keys.sorted().joined(separator: ", "))")
        }
        return (only.key, only.value)
    }

    private static func expectation(_ options: PluginOptions, of name: String) throws -> DataCheck.Expectation {
        let given = ["atLeast", "atMost", "equals"].filter { options.values[$0] != nil && options.values[$0] != .null }
        guard given.count <= 1 else {
            throw FleetError(
                .configuration, "the probe \(name) has \(given.joined(separator: " and "))",
                hint: "one expectation for each probe: add a second probe")
        }
        guard let key = given.first, let value = options.values[key] else { return .succeeds }
        if key == "equals" { return .equals(try text(value, of: name)) }
        guard let number = number(value) else {
            throw FleetError(.configuration, "\(key) of the probe \(name) is not a number")
        }
        return key == "atLeast" ? .atLeast(number) : .atMost(number)
    }

    private static func number(_ value: JSONValue) -> Double? {
        switch value {
        case .integer(let value): Double(value)
        case .number(let value): value
        case .string(let value): Double(value)
        default: nil
        }
    }

    /// As PostgreSQL would print it.
    private static func text(_ value: JSONValue, of name: String) throws -> String {
        switch value {
        case .string(let value): value
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .bool(let value): value ? "t" : "f"
        default: throw FleetError(.configuration, "equals of the probe \(name) is not a single value")
        }
    }
}
