internal import FleetPluginAPI

/// fleet.yaml, declared once: what it may hold, what that means and what holds without it.
enum FleetSchema {
    static let apiVersion = "fleet/v1"
    static let kind = "Fleet"

    static let root = ObjectShape(
        noun: "fleet.yaml",
        fields: [
            .required("apiVersion", .constant(apiVersion), "The version of this file's format."),
            .required("kind", .constant(kind), "Tells this file from others that are named fleet.yaml."),
            .optional("state", .object(state), "Where fleet keeps what it must remember.", default: [:]),
            .optional("clusters", .map(.clusters, .object(cluster)), "Where instances and applications run, by name."),
            .optional(
                "repositories", .map(.repositories, .object(repository)), "Where backups and WAL are kept, by name."),
            .optional("policies", .map(.policies, .object(policy)), "What is asked of instances, by name."),
            .optional("instances", .map(.instances, .object(instance)), "PostgreSQL servers, by name."),
            .optional(
                "applications", .map(.applications, .object(application)), "Workloads that use instances, by name."),
            .optional(
                "restoreSets", .map(.restoreSets, .object(restoreSet)),
                "Instances that must be restored to one mutually consistent point, by name."),
            .optional("rollout", .object(rollout), "In what order environments come back after a restore."),
            .optional("alerts", .object(alerts), "When to raise an alert.", default: [:]),
            .optional("notifiers", .map(.notifiers, .plugin(.notifier)), "Whom to tell, by name."),
        ],
        allowsExtensions: true)

    static let state = ObjectShape(
        noun: "the state's place",
        fields: [
            .optional(
                "sqlite", .path, "Path of the SQLite file.", default: ".fleet/state.db"),
            .optional("postgres", .unsupported("write sqlite: PATH"), "Not in this version."),
        ])

    static let cluster = ObjectShape(
        noun: "a cluster",
        fields: [
            .required("environment", .name, "Such as dev or prod."),
            .required("platform", .plugin(.platform), "What the cluster is and how to reach it."),
            .optional("labels", .map(nil, .text), "Free, for people and selectors."),
        ])

    static let repository = ObjectShape(
        noun: "a repository",
        fields: [
            .required("storage", .plugin(.storage), "Where the repository's objects are."),
            .optional("encryption", .object(encryption), "How they are encrypted; not at all without it."),
        ])

    static let encryption = ObjectShape(
        noun: "encryption",
        fields: [
            .optional("passphrase", .secret, "A text that the repository's key is sealed with."),
            .optional(
                "key", .secret, "32 random bytes in base64 or hexadecimal that it is sealed with instead: quicker."),
        ],
        exclusive: ["passphrase", "key"], asksForOneOf: ["passphrase", "key"])

    static let policy = ObjectShape(
        noun: "a policy",
        fields: [
            .optional("schedule", .object(schedule), "When to make backups, by kind."),
            .optional("retention", .object(retention), "Which backups to keep; all of them without it."),
            .optional("rpo", .duration(positive: true), "How much may be lost at most: `15m`."),
            .optional("rto", .duration(positive: true), "How long a restore may take at most: `30m`."),
            .optional("drill", .object(drill), "Restores for proof."),
        ])

    static let schedule = ObjectShape(
        noun: "a schedule",
        fields: BackupRecord.Kind.allCases.map { kind in
            .optional(kind.rawValue, .cron, "When to make \(kind.rawValue) backups: five cron fields, in UTC.")
        })

    static let retention = ObjectShape(
        noun: "retention",
        fields: [
            .optional("full", .integer(minimum: 1, maximum: 100_000), "How many full backups to keep."),
            .optional("diff", .integer(minimum: 1, maximum: 100_000), "How many differential backups to keep."),
            .optional(
                "window", .duration(positive: true),
                "How far back every moment can be restored to: `30d`. With full as well, whatever keeps more counts."),
        ])

    static let drill = ObjectShape(
        noun: "drills",
        fields: [.required("every", .duration(positive: true), "How old the last drill may be at most: `30d`.")])

    static let rollout = ObjectShape(
        noun: "the rollout",
        fields: [
            .optional("stages", .list(.object(stage), minimum: 0, unique: false), "One after the other."),
            .optional(
                "parallel", .integer(minimum: 1, maximum: 1000), "How many steps of a stage are carried out at once."),
            .optional(
                "parallelPerCluster", .integer(minimum: 1, maximum: 1000), "How many of them in one cluster."),
        ])

    static let stage = ObjectShape(
        noun: "a stage",
        fields: [
            .required("environment", .reference(.environments), "The environment that comes back in this stage."),
            .optional("soak", .duration(positive: false), "How long it must stay well before the next stage: `5m`."),
            .optional(
                "probes", .list(.plugin(.probe), minimum: 0, unique: false),
                "What must be well besides its applications: thresholds of metrics, by SQL or HTTP."),
            .optional(
                "maxFailures", .integer(minimum: 0, maximum: 10_000),
                "So many of its applications may be unwell, and the rollout goes on.", default: 0),
            .optional(
                "deadline", .duration(positive: true),
                "How long its soak, and the wait for its approval, may take at most: `4h`."),
            .optional(
                "approval", .choice(["required", "none"]), "Whether somebody must approve it first.", default: "none"),
            .optional(
                "approvalBy", .choice(["anyone", "another"]),
                "Who may approve it: anyone, or only another than who started the run.", default: "anyone"),
            .optional(
                "approvalExpires", .duration(positive: true), "How long an approval counts after it was given.",
                default: "24h"),
        ])

    static let alerts = ObjectShape(
        noun: "alerts",
        fields: [
            .optional(
                "failedBackups", .integer(minimum: 1, maximum: 1000), "So many backups failed in a row.", default: 2),
            .optional("noBackupFor", .duration(positive: true), "No backup for so long.", default: "48h"),
            .optional("walLag", .duration(positive: true), "No WAL archived for so long.", default: "1h"),
            .optional("repositoryUse", .percent, "So much of the repository's storage is full.", default: "80%"),
        ])
}
