/// Changes to what stands on a server's command line.
enum ScratchText {
    /// Replaces a path, and paths below it, but not paths that only begin like it.
    static func replacing(_ path: String, with other: String, in text: String) -> String {
        var result = ""
        var rest = text[...]
        while let range = rest.firstRange(of: path) {
            let follows = rest[range.upperBound...].first
            let isWhole = follows.map { !($0.isLetter || $0.isNumber || "-_.".contains($0)) } ?? true
            let isBeginning = rest[..<range.lowerBound].last.map { !($0.isLetter || $0.isNumber || $0 == "/") } ?? true
            result += rest[..<range.lowerBound] + (isWhole && isBeginning ? other : path)
            rest = rest[range.upperBound...]
        }
        return result + rest
    }

    /// `archive_mode=on` in whatever spelling, off.
    static func archivingOff(_ text: String) -> String {
        var text = text
        for value in ["on", "always", "'on'", "'always'", "true", "yes", "1"] {
            for equals in ["=", " = "] {
                text = replacing("archive_mode\(equals)\(value)", with: "archive_mode\(equals)off", in: text)
            }
        }
        return text
    }
}
