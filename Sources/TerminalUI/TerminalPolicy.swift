/// What is shown where, by the user's wishes and the terminal's abilities. Functions of their arguments alone.
enum TerminalPolicy {
    /// `--no-color`, `NO_COLOR` (no-color.org), `CLICOLOR_FORCE` and `CLICOLOR` (bixense.com/clicolors), `TERM=dumb`,
    /// in this order.
    static func hasColours(allows: Bool, isTerminal: Bool, environment: (String) -> String?) -> Bool {
        guard allows, environment("NO_COLOR")?.isEmpty ?? true else { return false }
        if let force = environment("CLICOLOR_FORCE"), !force.isEmpty, force != "0" { return true }
        return isTerminal && environment("TERM") != "dumb" && environment("CLICOLOR") != "0"
    }

    /// Whether the locale's characters are UTF-8 (locale(7): the first of these that is set counts).
    static func hasUnicode(environment: (String) -> String?) -> Bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(environment).first { !$0.isEmpty } ?? "C"
        let charset = locale.lowercased().split(separator: "@").first?.split(separator: ".").dropFirst().last
        return charset == "utf-8" || charset == "utf8"
    }
}

extension DisplayText {
    /// The text for a terminal that knows only ASCII: what is drawn with lines and signs here becomes the like of
    /// it, column for column; other characters become `?`.
    static func ascii(_ text: String) -> String {
        guard !text.utf8.allSatisfy({ $0 < 0x80 }) else { return text }
        return text.reduce(into: "") { output, character in
            if character.isASCII {
                output.append(character)
            } else {
                output += substitutes[character] ?? String(repeating: "?", count: columns(of: String(character)))
            }
        }
    }

    private static let substitutes: [Character: String] = [
        "━": "=", "─": "-", "┬": "+", "┣": "|", "┫": "|", "┤": "|", "├": "|", "│": "|", "┼": "+", "└": "`", "…": ".",
        "●": "o", "○": ".", "◐": ">", "▼": "v", "▲": "^", "◆": "*", "╳": "x", "✓": "+", "✔": "+", "✗": "x", "✘": "x",
        "•": "*", "·": ".", "–": "-", "—": "-", "→": ">", "←": "<", "›": ">", "‹": "<", "×": "x", "█": "#", "▉": "#",
        "▊": "#", "▋": "#",
        "▌": "#", "▍": "-", "▎": "-", "▏": "-", "≥": ">", "≤": "<", "⠋": "|", "⠙": "/", "⠹": "-", "⠸": "\\", "⠼": "|",
        "⠴": "/", "⠦": "-", "⠧": "\\", "⠇": "|", "⠏": "/",
    ]
}
