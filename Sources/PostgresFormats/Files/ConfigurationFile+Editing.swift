extension ConfigurationFile {
    /// Puts settings between two marking comments at the end of the file, where they win over all before them. A block
    /// of the same name that is there already is replaced.
    ///
    /// `ALTER SYSTEM` drops comments and keeps settings: to be rid of a block for certain, also `remove` its names.
    ///
    /// - Precondition: `name` is one line.
    public mutating func setBlock(_ name: String, _ settings: [(name: String, value: String)]) {
        precondition(!name.contains(where: \.isNewline), "a block's name is one line")
        removeBlock(name)
        if let last = lines.last, last.bytes.last != 0x0A {
            lines[lines.count - 1] = Line(bytes: last.bytes + [0x0A])
        }
        let text =
            [Self.beginning(name)] + settings.map { "\($0.name) = \(Self.quoted($0.value))" } + [Self.ending(name)]
        lines += text.map { Line(bytes: Array("\($0)\n".utf8)) }
    }

    /// Takes out every block of this name, marks included. A block whose end mark is missing loses only its first mark.
    public mutating func removeBlock(_ name: String) {
        while let start = lines.firstIndex(where: { $0.content == .comment(Self.beginning(name)) }) {
            let end = lines[start...].firstIndex { $0.content == .comment(Self.ending(name)) }
            lines.removeSubrange(start...(end ?? start))
        }
        lines.removeAll { $0.content == .comment(Self.ending(name)) }
    }

    /// The settings of a block; nil when there is none.
    public func block(_ name: String) -> [Setting]? {
        guard let start = lines.firstIndex(where: { $0.content == .comment(Self.beginning(name)) }),
            let end = lines[start...].firstIndex(where: { $0.content == .comment(Self.ending(name)) })
        else { return nil }
        return settings.filter { (start + 1...end + 1).contains($0.line) }
    }

    /// Sets one setting: in place of its last statement, or at the end. Earlier statements stay, and stay without
    /// effect.
    public mutating func set(_ name: String, to value: String) {
        let line = Line(bytes: Array("\(name) = \(Self.quoted(value))\n".utf8))
        if let last = settings.last(where: { Self.isSame($0.name, name) }) {
            lines[last.line - 1] = line
        } else {
            if let last = lines.last, last.bytes.last != 0x0A {
                lines[lines.count - 1] = Line(bytes: last.bytes + [0x0A])
            }
            lines.append(line)
        }
    }

    /// Takes out every line that states one of these settings.
    public mutating func remove(_ names: some Sequence<String>) {
        let names = Set(names.map { $0.lowercased() })
        lines.removeAll { line in
            if case .setting(let name, _) = line.content { names.contains(name.lowercased()) } else { false }
        }
    }

    /// A value as it is written between quotes.
    public static func quoted(_ value: String) -> String {
        var text = "'"
        for scalar in value.unicodeScalars {
            switch scalar {
            case "'": text += "''"
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "'"
    }

    private static func beginning(_ name: String) -> String { "# BEGIN \(name)" }
    private static func ending(_ name: String) -> String { "# END \(name)" }
}
