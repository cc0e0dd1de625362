/// Finds passwords written where a reference belongs.
///
/// Looks at the first kilobytes of a text only, so that a hostile file cannot make it slow.
enum SecretDetector {
    private static let reach = 8192

    /// What holds the password: a URL or a connection string; nil when there is none to be seen.
    static func carrier(in text: String, isSQL: Bool = false) -> String? {
        let bytes = Array(text.utf8.prefix(reach))[...]
        if holdsURLPassword(bytes) { return "a URL" }
        if !isSQL, holdsAssignment(bytes) { return "a connection string" }
        return nil
    }

    /// `scheme://user:password@host` anywhere in the text.
    private static func holdsURLPassword(_ text: ArraySlice<UInt8>) -> Bool {
        var rest = text
        while let found = rest.firstRange(of: "://".utf8) {
            rest = rest[found.upperBound...]
            let word = rest.prefix(256).prefix { !" \t\r\n\"'<>".utf8.contains($0) }
            if let query = word.firstIndex(of: UInt8(ascii: "?")), holdsAssignment(word[query...]) { return true }
            guard let at = userEnd(of: word), let colon = word[..<at].firstIndex(of: UInt8(ascii: ":")) else {
                continue
            }
            if colon + 1 < at { return true }
        }
        return false
    }

    /// The at sign behind the user and password of a URL's rest behind `://`.
    private static func userEnd(of word: ArraySlice<UInt8>) -> Int? {
        let authority = word.prefix { !"/?#".utf8.contains($0) }
        if let at = authority.lastIndex(of: UInt8(ascii: "@")) { return at }
        // A password may hold a slash although it should not: `u:pa/ss@host`, but not `host:8080/a@b`.
        guard let colon = authority.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        let port = authority[(colon + 1)...]
        return port.allSatisfy(isDigit) ? nil : word.lastIndex(of: UInt8(ascii: "@"))
    }

    /// `password=…`, `--password=…`, `?password=…`, `PGPASSWORD=…` with something behind the equals sign.
    private static func holdsAssignment(_ text: ArraySlice<UInt8>) -> Bool {
        let lowercase = text.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
        var rest = lowercase[...]
        while let found = rest.firstRange(of: "password".utf8) {
            let before = lowercase[..<found.lowerBound]
            rest = rest[found.upperBound...]
            let value = rest.drop { $0 == UInt8(ascii: " ") }
            guard value.first == UInt8(ascii: "=") else { continue }
            let secret = value.dropFirst().drop { " '\"".utf8.contains($0) }
            // A variable that a shell fills in is a reference.
            guard let first = secret.first, !"$&".utf8.contains(first) else { continue }
            let isWord = before.last.map { " \t\n?&-'\";,".utf8.contains($0) } ?? true
            if isWord || before.suffix(2).elementsEqual("pg".utf8) || before.suffix(3).elementsEqual("ssl".utf8) {
                return true
            }
        }
        return false
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

extension ArraySlice<UInt8> {
    /// Where `text` first occurs.
    fileprivate func firstRange(of text: String.UTF8View) -> Range<Int>? {
        guard let first = text.first else { return nil }
        var start = startIndex
        while let index = self[start...].firstIndex(of: first) {
            if self[index...].starts(with: text) { return index..<(index + text.count) }
            start = index + 1
        }
        return nil
    }
}
