/// Text with emphasis, before anybody knows whether it goes to a terminal that has colours.
public struct StyledText: Hashable, Sendable {
    /// What a part of a text is, rather than how it looks.
    public enum Style: String, Hashable, Sendable, CaseIterable {
        case plain
        /// What the eye shall find first.
        case strong
        /// What may be skipped.
        case faint
        case good
        case caution
        case bad
        /// Names of things.
        case accent

        /// SGR parameters (ECMA-48, 8.3.117); nil for none.
        var code: String? {
            switch self {
            case .plain: nil
            case .strong: "1"
            case .faint: "2"
            case .good: "32"
            case .caution: "33"
            case .bad: "1;31"
            case .accent: "36"
            }
        }
    }

    struct Part: Hashable, Sendable {
        var text: String
        var style: Style
    }

    private(set) var parts: [Part]

    /// - Parameter text: control characters in it are made visible: what comes from outside must not steer a terminal.
    public init(_ text: some StringProtocol, _ style: Style = .plain) {
        parts = text.isEmpty ? [] : [Part(text: DisplayText.safe(text), style: style)]
    }

    public var isEmpty: Bool { parts.isEmpty }

    /// Without emphasis.
    public var text: String { parts.map(\.text).joined() }

    /// How many columns of a terminal it takes.
    public var columns: Int { parts.reduce(0) { $0 + DisplayText.columns(of: $1.text) } }

    public static func + (left: StyledText, right: StyledText) -> StyledText {
        var sum = left
        sum.parts += right.parts
        return sum
    }

    public static func += (left: inout StyledText, right: StyledText) {
        left.parts += right.parts
    }

    /// As bytes for a terminal: with escape sequences where it has colours.
    public func rendered(coloured: Bool) -> String {
        guard coloured else { return text }
        return parts.reduce(into: "") { output, part in
            guard let code = part.style.code else { return output += part.text }
            output += "\u{1B}[\(code)m\(part.text)\u{1B}[0m"
        }
    }

    /// Filled with blanks to so many columns; as it is when it has more.
    public func padded(to columns: Int) -> StyledText {
        self + StyledText(String(repeating: " ", count: max(0, columns - self.columns)))
    }

    public func paddedLeft(to columns: Int) -> StyledText {
        StyledText(String(repeating: " ", count: max(0, columns - self.columns))) + self
    }

    /// At most so many columns, an ellipsis saying that something is missing.
    public func truncated(to columns: Int) -> StyledText {
        guard self.columns > columns else { return self }
        guard columns > 0 else { return StyledText("") }
        var rest = columns - 1
        var short = StyledText("")
        for part in parts {
            let prefix = DisplayText.prefix(of: part.text, columns: rest)
            short += StyledText(prefix, part.style)
            rest -= DisplayText.columns(of: prefix)
            if prefix.count < part.text.count { break }
        }
        return short + StyledText("…", .faint)
    }
}

extension StyledText: ExpressibleByStringInterpolation {
    public init(stringLiteral value: String) {
        self.init(value)
    }
}
