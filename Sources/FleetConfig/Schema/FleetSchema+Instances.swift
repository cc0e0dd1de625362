internal import FleetPluginAPI

extension FleetSchema {
    /// Not optional for most engines: see `Validator.checkRepositories`.
    static let repositoriesHelp =
        "Where its backups go, in order of preference; left out only where the engine's own configuration says it."

    static let instance = ObjectShape(
        noun: "an instance",
        fields: [
            .required("cluster", .reference(.clusters), "The cluster that it runs in."),
            .optional("policy", .reference(.policies), "What is asked of its backups; nothing without it."),
            .optional(
                "platform", .instancePlatform, "Where in the cluster it is, in the platform's words.", default: [:]),
            .required("engine", .plugin(.engine), "What makes its backups."),
            .optional("repositories", .list(.reference(.repositories), minimum: 1, unique: true), repositoriesHelp),
            .optional("connection", .object(connection), "How to log in; what is not said the platform finds out."),
            .optional(
                "checks", .list(.object(check), minimum: 0, unique: false),
                "Statements that must be answered as expected after a restore."),
            .optional(
                "masking", .list(.object(mask), minimum: 0, unique: false),
                "Statements that make a copy's data fit to be seen, carried out before it is handed over."),
            .optional("labels", .map(nil, .text), "Free, for people and selectors."),
        ], asksForRepositories: true)

    static let mask = ObjectShape(
        noun: "a mask",
        fields: [
            .required("name", .string, "What it hides, in a few words."),
            .required("sql", .sql, "A statement; safe to repeat."),
            .optional("database", .string, "The database to run it in.", default: "postgres"),
        ])

    static let connection = ObjectShape(
        noun: "a connection",
        fields: [
            .optional("host", .string, "A host name, an address or the folder of a Unix socket."),
            .optional("port", .integer(minimum: 1, maximum: 65_535), "The server's port."),
            .optional("user", .string, "The role to log in as."),
            .optional("database", .string, "The database for fleet's own queries; postgres without it."),
            .optional("password", .secret, "The role's password, by reference."),
            .optional(
                "sslMode", .choice(["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]),
                "As libpq's sslmode."),
            .optional("sslRootCertificate", .path, "File of certificates to trust, as libpq's sslrootcert."),
        ])

    static let check = ObjectShape(
        noun: "a check",
        fields: [
            .required("name", .string, "What it proves, in a few words."),
            .required("sql", .sql, "A statement that yields one value; run read-only."),
            .optional("database", .string, "The database to run it in.", default: "postgres"),
            .optional("equals", .scalar, "The value must be this."),
            .optional("atLeast", .number, "The value must be this or more."),
            .optional("atMost", .number, "The value must be this or less."),
        ],
        exclusive: ["equals", "atLeast", "atMost"])

    static let application = ObjectShape(
        noun: "an application",
        fields: [
            .required("cluster", .reference(.clusters), "The cluster that it runs in."),
            .required(
                "uses", .list(.reference(.instances), minimum: 1, unique: true),
                "The instances that it writes to or reads from; it is taken down while one of them is restored."),
            .required("scaler", .plugin(.scaler), "What takes it down and brings it back."),
            .optional(
                "probes", .list(.plugin(.probe), minimum: 0, unique: false), "What tells that it is well again."),
            .optional(
                "after", .list(.reference(.applications), minimum: 0, unique: true),
                "Applications that must be back before this one."),
            .optional("labels", .map(nil, .text), "Free, for people and selectors."),
        ])
}
