/// Quoting for what takes no parameters: the replication grammar, and several statements in one message.
public enum SQLText {
    /// `'it''s'`: the replication scanner knows no backslash escapes (`repl_scanner.l`), and neither do standard strings,
    /// which are on in every server since 9.1 unless somebody turned them off.
    public static func literal(_ text: String) -> String {
        "'\(text.replacing("'", with: "''"))'"
    }

    static func identifier(_ name: String) -> String {
        "\"\(name.replacing("\"", with: "\"\""))\""
    }
}
