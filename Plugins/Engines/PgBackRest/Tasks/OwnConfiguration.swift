import DurableFiles

/// pgBackRest's configuration file: `[section]` and `name=value`.
enum OwnConfiguration {
    static let defaultPlaces = ["/etc/pgbackrest/pgbackrest.conf", "/etc/pgbackrest.conf"]

    /// Of the file that pgBackRest reads here; none where it reads none.
    static func settings(of program: PgBackRest, command: String) async throws -> [String: String] {
        guard !program.hasNoFile else { return [:] }
        for place in program.configuration.map({ [$0] }) ?? defaultPlaces {
            guard let bytes = try await Disk().readIfPresent(place, limit: 1 << 20) else { continue }
            return settings(bytes, stanza: program.stanza, command: command)
        }
        return [:]
    }

    /// What holds for a command on a stanza, the stanza's own before what is global.
    static func settings(_ file: [UInt8], stanza: String, command: String) -> [String: String] {
        let sections = sections(file)
        return ["global", "global:\(command)", stanza, "\(stanza):\(command)"].reduce(into: [:]) { settings, name in
            settings.merge(sections[name] ?? [:]) { $1 }
        }
    }

    /// All there is, by section.
    static func sections(_ file: some Sequence<UInt8>) -> [String: [String: String]] {
        var sections: [String: [String: String]] = [:]
        var section = ""
        for line in String(decoding: Array(file), as: UTF8.self).split(whereSeparator: \.isNewline) {
            let text = trimmed(line)
            if text.hasPrefix("#") { continue }
            if text.hasPrefix("["), text.hasSuffix("]") {
                section = String(text.dropFirst().dropLast())
            } else if let equals = text.firstIndex(of: "=") {
                sections[section, default: [:]][trimmed(text[..<equals])] = trimmed(text[text.index(after: equals)...])
            }
        }
        return sections
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
