internal import FleetPluginAPI
internal import YAML

extension Validator {
    mutating func scalar(_ node: YAMLNode, _ shape: Shape, _ place: Place) -> JSONValue? {
        guard let scalar = node.scalar else {
            report(place, "expected \(noun(shape)), found \(found(node))")
            return nil
        }
        guard scalar.tag != .null else {
            report(place, "there is no value", "write \(noun(shape)), or remove the key")
            return nil
        }
        if case .other = scalar.tag {
            report(place, "expected \(noun(shape)), found a value with a tag", "remove the tag")
            return nil
        }
        guard !scalar.text.unicodeScalars.contains("\0") else {
            report(place, "the value holds a NUL character")
            return nil
        }
        guard !reportsSecret(scalar, node.start, shape, place) else { return nil }
        switch shape {
        case .integer(let minimum, let maximum): return integer(scalar, minimum, maximum, place)
        case .number:
            if let integer = scalar.integer { return .integer(integer) }
            guard let number = scalar.number, number.isFinite else { return wrong(scalar, shape, place) }
            return .number(number)
        case .boolean: return scalar.bool.map { .bool($0) } ?? wrong(scalar, shape, place)
        case .text: return .string(scalar.text)
        // PostgreSQL writes booleans as t and f.
        case .scalar: return .string(scalar.bool.map { $0 ? "t" : "f" } ?? scalar.text)
        case .duration, .size, .percent: return measure(scalar, shape, place)
        default:
            guard scalar.tag == .string else { return wrong(scalar, shape, place) }
            return text(scalar.text, shape, place)
        }
    }

    private mutating func integer(_ scalar: YAMLScalar, _ minimum: Int64?, _ maximum: Int64?, _ place: Place)
        -> JSONValue?
    {
        guard scalar.tag == .int else { return wrong(scalar, .integer(minimum: minimum, maximum: maximum), place) }
        let value = scalar.integer
        guard let value, value >= minimum ?? .min, value <= maximum ?? .max else {
            let limits =
                switch (minimum, maximum) {
                case (let minimum?, let maximum?): "from \(minimum) to \(maximum)"
                case (let minimum?, nil): "of \(minimum) or more"
                case (nil, let maximum?): "of \(maximum) or less"
                case (nil, nil): "of 64 bits"
                }
            report(place, "expected an integer \(limits), found \(shortened(scalar.text))")
            return nil
        }
        return .integer(value)
    }

    private mutating func text(_ text: String, _ shape: Shape, _ place: Place) -> JSONValue? {
        switch shape {
        case .constant(let wanted) where text != wanted:
            report(place, "expected \(wanted), found \(shortened(text))", "this version of fleet reads \(wanted)")
            return nil
        case .choice(let choices) where !choices.contains(text):
            let hint = Suggestion.nearest(to: text, among: choices).map { "did you mean \($0)?" }
            report(place, "\(shortened(text)) is none of: \(choices.joined(separator: ", "))", hint)
            return nil
        case .name: return checkName(text, place) ? .string(text) : nil
        case .reference(let section):
            references.append(Reference(section: section, name: text, place: place))
        case .path:
            switch paths.absolute(text) {
            case .success(let path): return .string(path)
            case .failure(let problem):
                report(place, problem.message, problem.hint)
                return nil
            }
        case .url:
            guard isURL(text) else {
                report(place, "expected a URL, found \(shortened(text))", "write for example https://host/path")
                return nil
            }
        case .cron:
            do {
                _ = try CronExpression(parsing: text)
            } catch {
                report(place, error.message, error.hint)
                return nil
            }
        default: break
        }
        return .string(text)
    }

    private func isURL(_ text: String) -> Bool {
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let first = parts[0].unicodeScalars.first, first.isASCII, first.properties.isAlphabetic,
            parts[0].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"/?#@".utf8.contains($0) })
        else { return false }
        let host = parts[1].prefix { !"/?#".contains($0) }
        return !host.isEmpty && !text.contains { $0.isWhitespace }
    }

    /// Lowercase letters, digits and hyphens, as labels in DNS have them (RFC 1123), up to 63.
    @discardableResult
    mutating func checkName(_ name: String, _ place: Place) -> Bool {
        func isPlain(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        let hyphen = UInt8(ascii: "-")
        let bytes = name.utf8
        if let first = bytes.first, let last = bytes.last, isPlain(first), isPlain(last), bytes.count <= 63,
            bytes.allSatisfy({ isPlain($0) || $0 == hyphen })
        {
            return true
        }
        if bytes.count > 63 {
            report(place, "the name has \(bytes.count) bytes; 63 are allowed")
            return false
        }
        let folded = name.lowercased().utf8.map { isPlain($0) ? $0 : hyphen }
        let trimmed = folded.drop { $0 == hyphen }.reversed().drop { $0 == hyphen }.reversed()
        let proposal = String(decoding: Array(trimmed), as: UTF8.self)
        report(
            place, "\(name.isEmpty ? "an empty text" : shortened(name)) is not a name",
            "use lowercase letters, digits and hyphens" + (proposal.isEmpty ? "" : ": \(proposal)"))
        return false
    }
}
