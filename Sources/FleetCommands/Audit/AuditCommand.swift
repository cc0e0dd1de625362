import ArgumentParser

/// `fleet audit`
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Who did what to what, and when.",
        subcommands: [AuditList.self, AuditVerify.self], defaultSubcommand: AuditList.self)
}
