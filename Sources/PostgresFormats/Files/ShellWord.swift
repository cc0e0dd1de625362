/// Words of a POSIX shell command line.
public enum ShellWord {
    /// The word as it is where that is safe, else in single quotes.
    public static func quoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty
            && word.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "-_./=:,+@".utf8.contains(byte)
            }
        return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }

    /// A command line for `archive_command` or `restore_command`, in which `%` begins a placeholder of PostgreSQL's.
    ///
    /// - Parameter placeholders: what follows the words as it is: `%f %p`.
    public static func command(_ argv: [String], placeholders: String) -> String {
        argv.map { quoted($0).replacing("%", with: "%%") }.joined(separator: " ") + " " + placeholders
    }
}
