/// Text in columns of a terminal.
public enum DisplayText {
    /// How many columns it takes: East Asian wide characters and emoji two, everything else one.
    public static func columns(of text: some StringProtocol) -> Int {
        // Most text is ASCII, and grapheme breaking is slow.
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text.utf8.count }
        return text.reduce(0) { $0 + columns(of: $1) }
    }

    /// The longest beginning that fits.
    static func prefix(of text: String, columns limit: Int) -> String {
        var columns = 0
        return String(
            text.prefix {
                columns += Self.columns(of: $0)
                return columns <= limit
            })
    }

    /// The text with control characters made visible, as `\u{1B}`, so that it cannot steer a terminal or fake a line.
    public static func safe(_ text: some StringProtocol) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return String(text) }
        return text.unicodeScalars.reduce(into: "") { output, scalar in
            switch scalar {
            case "\n", "\r", "\t": output += " "
            case _ where isControl(scalar): output += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            default: output.unicodeScalars.append(scalar)
            }
        }
    }

    /// Lines of at most so many columns, broken at blanks; a word that is longer is a line of its own, unbroken, so
    /// that it can be copied whole.
    public static func wrapped(_ text: some StringProtocol, to limit: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, columns(of: line) + 1 + columns(of: word) > limit {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return line.isEmpty ? lines : lines + [line]
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // C0, DEL, C1; the overrides that reorder what is shown.
        case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// A character is as wide as its widest scalar: marks that combine with it take no columns of their own.
    private static func columns(of character: Character) -> Int {
        let scalars = character.unicodeScalars
        // VARIATION SELECTOR-16 asks for the picture of a character that is text otherwise; a flag is two letters.
        if scalars.count > 1, scalars.first?.properties.isEmoji == true {
            if scalars.contains("\u{FE0F}") { return 2 }
            if scalars.allSatisfy({ (0x1F1E6...0x1F1FF).contains($0.value) }) { return 2 }
        }
        return scalars.map { columns(of: $0) }.max() ?? 0
    }

    private static func columns(of scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break
        }
        if scalar.properties.isEmojiPresentation { return 2 }
        switch scalar.value {
        // Unicode Standard Annex 11, classes W and F, in blocks.
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
            0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}
