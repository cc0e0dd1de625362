internal import FleetPluginAPI

extension FleetSchema {
    static let restoreSet = ObjectShape(
        noun: "a restore set",
        fields: [
            .required(
                "members", .list(.reference(.instances), minimum: 1, unique: true),
                "The instances that belong together, in the order in which the applications write to them."),
            .optional(
                "databases", .map(nil, .string), "The database that belongs to the set, by member; postgres without it."
            ),
            .optional("fence", .object(fence), "How writers are held while a mark is made."),
            .optional(
                "causality", .list(.object(causality), minimum: 0, unique: false),
                "Which member's writes follow from which one's; the members' order without it."),
            .optional(
                "transactions", .string,
                "Of two-phase transactions: a regular expression with one group, what all sides' names have in common."
            ),
            .optional(
                "clockTolerance", .duration(positive: true),
                "How far apart members may be that are restored to a time by their own clocks.", default: "500ms"),
            .optional(
                "invariants", .list(.object(invariant), minimum: 0, unique: false),
                "What must hold between the members."),
        ])

    private static let fence = ObjectShape(
        noun: "a fence",
        fields: [
            .optional(
                "tables", .map(nil, .list(.string, minimum: 1, unique: true)),
                "The tables that applications write to, by member, in the order in which they do."),
            .optional(
                "advisory", .object(advisoryKey),
                "The key that applications hold shared in each transaction: pg_advisory_xact_lock_shared."),
            .optional(
                "patience", .duration(positive: true),
                "How long one lock is waited for; less than deadlock_timeout, so that the fence gives way.",
                default: "300ms"),
            .optional("deadline", .duration(positive: true), "How long is tried, in all.", default: "20s"),
        ],
        exclusive: ["tables", "advisory"], asksForOneOf: ["tables", "advisory"])

    private static let advisoryKey = ObjectShape(
        noun: "an advisory key",
        fields: [
            .required(
                "first", .integer(minimum: Int64(Int32.min), maximum: Int64(Int32.max)), "The key's first number."),
            .required(
                "second", .integer(minimum: Int64(Int32.min), maximum: Int64(Int32.max)), "The key's second number."),
        ])

    private static let causality = ObjectShape(
        noun: "a causality",
        fields: [
            .required("cause", .reference(.instances), "What is written here comes first,"),
            .required("effect", .reference(.instances), "and what is written here follows from it."),
        ])

    private static let invariant = ObjectShape(
        noun: "an invariant",
        fields: [
            .required("name", .string, "What it proves, in a few words."),
            .optional("subset", .object(subset), "Every key of the one is among those of the other."),
            .optional("equal", .list(.object(query), minimum: 2, unique: false), "All have the same keys."),
            .optional("sum", .object(sum), "The values of several members add up."),
            .optional("check", .object(memberCheck), "A check of one member."),
        ],
        exclusive: ["subset", "equal", "sum", "check"], asksForOneOf: ["subset", "equal", "sum", "check"])

    private static let subset = ObjectShape(
        noun: "a subset",
        fields: [
            .required("keys", .object(query), "These keys"),
            .required("within", .object(query), "are among these."),
        ])

    private static let sum = ObjectShape(
        noun: "a sum",
        fields: [
            .required("of", .list(.object(query), minimum: 1, unique: false), "Statements that yield a number each."),
            .required("equals", .number, "What they add up to."),
        ])

    private static let query = ObjectShape(
        noun: "a query",
        fields: [
            .required("member", .reference(.instances), "The member that is asked."),
            .required("sql", .sql, "A statement that yields one column; run read-only."),
            .optional("database", .string, "The database to run it in; the member's of the set without it."),
        ])

    private static let memberCheck = ObjectShape(
        noun: "a check",
        fields: [
            .required("member", .reference(.instances), "The member that is asked."),
            .required("sql", .sql, "A statement that yields one value; run read-only."),
            .optional("database", .string, "The database to run it in; the member's of the set without it."),
            .optional("equals", .scalar, "The value must be this."),
            .optional("atLeast", .number, "The value must be this or more."),
            .optional("atMost", .number, "The value must be this or less."),
        ],
        exclusive: ["equals", "atLeast", "atMost"])
}
