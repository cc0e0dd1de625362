import FleetPluginAPI

/// `fleet agent admit SYSTEM-IDENTIFIER`: the instance has been made anew, and its new server may write to the
/// repositories from now on. What the old one wrote stays.
enum Admission {
    @Sendable static func run(_ context: AgentContext, _ arguments: [String]) async -> Int32 {
        await context.perform { context in
            guard arguments.count == 1, let identifier = SystemIdentifier(arguments[0]) else {
                throw FleetError(
                    .usage, "admit takes a system identifier",
                    hint: "pg_controldata and SELECT system_identifier FROM pg_control_system() tell it")
            }
            for repository in context.repositories {
                let instance = try await Repository.open(repository, context.resolve).instance(context.instance.name)
                try await instance.admit(identifier)
                context.log("\(identifier) may write to \(instance.subject)")
            }
            return 0
        }
    }
}
