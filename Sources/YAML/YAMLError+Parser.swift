/// libyaml's messages in words that help somebody who edits a file.
extension YAMLError {
    static func reader(_ problem: String, at mark: YAMLMark, value: Int) -> YAMLError {
        guard problem == "control characters are not allowed" else { return YAMLError(.encoding, problem, at: mark) }
        let code =
            "U+" + String(repeating: "0", count: max(0, 4 - String(value, radix: 16).count))
            + String(value, radix: 16, uppercase: true)
        return value == 0
            ? YAMLError(.encoding, "a NUL byte", at: mark, hint: "is this a text file, and saved as UTF-8?")
            : YAMLError(
                .encoding, "the control character \(code) is not allowed", at: mark,
                hint: "remove it, or write it as an escape in double quotes")
    }

    /// - Parameters:
    ///   - character: what stands at `mark`.
    ///   - context: where what could not be read began.
    static func syntax(_ problem: String, at mark: YAMLMark, character: Unicode.Scalar?, from context: YAMLMark?)
        -> YAMLError
    {
        if let (message, hint) = indentation(problem, character) ?? punctuation(problem, character) {
            return YAMLError(.syntax, message, at: mark, hint: hint)
        }
        let began = context.flatMap { $0 == mark ? nil : "it began at \($0)" }
        switch problem {
        case "could not find expected ':'":
            return YAMLError(
                .syntax, "a key without a colon", at: context ?? mark,
                hint: "write a colon and a space behind a key; text over several lines needs quotes or |")
        case "did not find expected key", "did not find expected '-' indicator":
            let what = problem.hasSuffix("key") ? "a key" : "an item that begins with -"
            let where_ = context.map { ", aligned with \($0)" } ?? ""
            return YAMLError(.syntax, "expected \(what)\(where_)", at: mark, hint: "check the indentation and quotes")
        case "did not find expected ',' or ']'", "did not find expected ',' or '}'":
            let bracket = problem.hasSuffix("]'") ? "]" : "}"
            return YAMLError(.syntax, "expected a comma or \(bracket)", at: mark, hint: began)
        case "found unexpected end of stream":
            return YAMLError(.syntax, "a quote is not closed", at: context ?? mark)
        case "did not find expected node content":
            return YAMLError(.syntax, "expected a value", at: mark, hint: began)
        case "did not find expected <document start>":
            return YAMLError(
                .syntax, "the document has ended before this", at: mark, hint: "check the indentation and brackets")
        default:
            return YAMLError(.syntax, problem, at: mark, hint: began)
        }
    }

    private static func indentation(_ problem: String, _ character: Unicode.Scalar?) -> (String, String)? {
        guard character == "\t" || problem.contains("tab character") else { return nil }
        return ("a tab where indentation is expected", "indent with spaces")
    }

    private static func punctuation(_ problem: String, _ character: Unicode.Scalar?) -> (String, String)? {
        switch problem {
        case "found character that cannot start any token":
            ("a value cannot begin with \(character.map(String.init) ?? "this")", "put it in quotes")
        case "mapping values are not allowed in this context":
            ("a colon does not belong here", "check the indentation, or put a value that holds a colon in quotes")
        case "block sequence entries are not allowed in this context":
            ("an item that begins with - does not belong here", "put it on a line of its own, or the value in quotes")
        case "mapping keys are not allowed in this context":
            ("a key does not belong here", "check the indentation")
        case "found unknown escape character":
            ("an unknown escape in double quotes", "write \\\\ for a backslash, or use single quotes")
        default: nil
        }
    }
}
