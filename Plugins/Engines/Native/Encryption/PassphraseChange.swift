import FleetPluginAPI

/// `fleet agent passphrase REPOSITORY FILE [--key] [--only]`: lets the passphrase, or the key, in a file open an encrypted
/// repository, too, or alone. No backup is touched: the repository's key stays what it is.
enum PassphraseChange {
    @Sendable static func run(_ context: AgentContext, _ arguments: [String]) async -> Int32 {
        await context.perform { context in
            let options = Set(arguments.filter { $0.hasPrefix("--") })
            let words = arguments.filter { !$0.hasPrefix("--") }
            guard words.count == 2, words[1].hasPrefix("/"), options.isSubset(of: ["--key", "--only"]) else {
                throw FleetError(
                    .usage,
                    "passphrase takes a repository, the absolute path of a file with the new passphrase, --key if the "
                        + "file holds a key of 32 bytes in base64 or hexadecimal, and --only if nothing else is to "
                        + "open it any more")
            }
            let repository = try context.repository(words[0])
            let isKey = options.contains("--key")
            let secret = SecretReference.file(words[1])
            try await Repository.add(
                isKey ? .key(secret) : .passphrase(secret), only: options.contains("--only"), to: repository,
                context.resolve)
            context.log(
                "the \(isKey ? "key" : "passphrase") in \(words[1]) opens the repository \(repository.name)"
                    + (options.contains("--only") ? ", and nothing else does" : ", as what did before"))
            return 0
        }
    }
}
