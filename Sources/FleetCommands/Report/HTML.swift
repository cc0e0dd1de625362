/// Pages of one file, without scripts and without anything from elsewhere: they can be mailed, kept and printed.
enum HTML {
    static func page(title: String, style: String, _ body: [String]) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <title>\(text(title))</title>
        <style>
        \(style)
        </style>
        </head>
        <body>
        \(body.joined(separator: "\n"))
        </body>
        </html>

        """
    }

    /// Text as it stands, also inside of attributes in quotes.
    static func text(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// - Parameter rows: cells as markup.
    static func table(_ head: [String], _ rows: [[String]], style: String = "") -> String {
        let headline =
            head.allSatisfy(\.isEmpty)
            ? "" : "<thead><tr>" + head.map { "<th>\(text($0))</th>" }.joined() + "</tr></thead>"
        let lines = rows.map { "<tr>" + $0.map { "<td>\($0)</td>" }.joined() + "</tr>" }
        return "<table class=\"\(style)\">\(headline)<tbody>\(lines.joined(separator: "\n"))</tbody></table>"
    }

    static func facts(_ facts: [(String, String)]) -> String {
        table(["", ""], facts.map { ["<span class=\"name\">\(text($0.0))</span>", text($0.1)] }, style: "facts")
    }

    /// A word in the colour of what it means.
    static func badge(_ word: String) -> String {
        let kind =
            switch word {
            case "done", "succeeded", "passed", "yes", "compliant": "good"
            case "failed", "no", "aborted", "interrupted", "non-compliant": "bad"
            case "pending", "skipped": "plain"
            default: "caution"
            }
        return "<span class=\"badge \(kind)\">\(text(word))</span>"
    }

    static let style = """
        :root { --ink: #1c2330; --faint: #667085; --line: #d9dee7; --good: #1a7f4b; --bad: #b42318; --caution: #b25e09;
          --accent: #2f5fc4; --wash: #f6f8fb; }
        * { box-sizing: border-box; }
        body { font: 14px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; color: var(--ink);
          max-width: 62rem; margin: 2rem auto; padding: 0 1.5rem; }
        h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere; }
        h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
        table { border-collapse: collapse; width: 100%; }
        th { text-align: left; font-weight: 600; color: var(--faint); font-size: .8rem; }
        th, td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
          overflow-wrap: anywhere; }
        table.facts td:first-child { width: 12rem; }
        .name, .faint, figcaption { color: var(--faint); }
        .badge { font-size: .8rem; font-weight: 600; padding: .05rem .5rem; border-radius: 1rem; white-space: nowrap;
          background: var(--wash); color: var(--faint); }
        .badge.good { color: var(--good); background: #e7f6ee; }
        .badge.bad { color: var(--bad); background: #fdeceb; }
        .badge.caution { color: var(--caution); background: #fdf3e3; }
        figure { margin: 0; }
        svg { width: 100%; height: auto; font-size: 11px; }
        ul { padding-left: 1.2rem; }
        code { font: 12px/1.5 ui-monospace, "Liberation Mono", monospace; }
        @media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } tr, figure { break-inside: avoid; }
          * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
        """
}
