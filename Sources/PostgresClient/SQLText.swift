/// Quoting for the replication grammar, which has no parameters.
enum SQLText {
    /// `'it''s'`: the replication scanner knows no backslash escapes (`repl_scanner.l`).
    static func literal(_ text: String) -> String {
        "'\(text.replacing("'", with: "''"))'"
    }

    static func identifier(_ name: String) -> String {
        "\"\(name.replacing("\"", with: "\"\""))\""
    }
}
