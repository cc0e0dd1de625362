import FleetPluginAPI

/// What encrypted repositories of tests are encrypted with.
enum TestPassphrase {
    static let reference = SecretReference.environment("REPOSITORY_PASSPHRASE")
    static let secret = RepositorySecret.passphrase(reference)
    static let text = "correct-horse-battery"

    static let resolve: SecretResolver = { wanted in
        guard wanted == reference else { throw FleetError(.configuration, "there is no secret \(wanted)") }
        return Secret(text)
    }
}
