import FleetPluginAPI

/// `fleet agent passphrase REPOSITORY FILE [--only]`: lets the passphrase in a file open an encrypted repository, too, or
/// alone. No backup is touched: the repository's key stays what it is.
enum PassphraseChange {
    @Sendable static func run(_ context: AgentContext, _ arguments: [String]) async -> Int32 {
        await context.perform { context in
            let only = arguments.last == "--only"
            let words = only ? Array(arguments.dropLast()) : arguments
            guard words.count == 2, words[1].hasPrefix("/") else {
                throw FleetError(
                    .usage,
                    "passphrase takes a repository, the absolute path of a file with the new passphrase, and --only "
                        + "if no other is to open it any more")
            }
            let repository = try context.repository(words[0])
            try await Repository.add(.file(words[1]), only: only, to: repository, context.resolve)
            context.log(
                "the passphrase in \(words[1]) opens the repository \(repository.name)"
                    + (only ? ", and no other does" : ", as those before do"))
            return 0
        }
    }
}
