import FleetPluginAPI

/// What a server or libpq said when something failed.
///
/// The SQLSTATE decides what it means; text is only shown. Detail and context are not kept: they quote rows.
struct PostgresError: Hashable, Sendable {
    /// Five characters (PostgreSQL manual, appendix A); nil where libpq itself failed.
    var sqlState: String?
    /// The primary message, one line.
    var message: String
    var hint: String?

    /// Codes for `PQresultErrorField` (manual, section 34.3.1).
    enum Field {
        /// `PG_DIAG_SEVERITY_NONLOCALIZED`
        static let severity: Unicode.Scalar = "V"
        static let sqlState: Unicode.Scalar = "C"
        static let message: Unicode.Scalar = "M"
        static let hint: Unicode.Scalar = "H"
    }

    init(sqlState: String?, message: String, hint: String? = nil) {
        self.sqlState = sqlState
        self.message = message
        self.hint = hint
    }

    init(_ result: LibPQResult) {
        sqlState = result.field(Field.sqlState)
        message = result.field(Field.message) ?? Self.line(result.errorMessage)
        hint = result.field(Field.hint)
    }

    /// From the text of a failed connection attempt with verbosity VERBOSE: `FATAL:  28P01: text`, then details.
    init(connecting text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
        for line in lines {
            for part in line.indices(after: ":  ") {
                let code = line[part...].prefix(5)
                let rest = line[part...].dropFirst(5)
                let isState = code.utf8.count == 5 && code.utf8.allSatisfy { 0x30...0x39 ~= $0 || 0x41...0x5A ~= $0 }
                guard isState, rest.hasPrefix(": ") else { continue }
                self.init(sqlState: String(code), message: String(rest.dropFirst(2)))
                return
            }
        }
        self.init(sqlState: nil, message: Self.line(text))
    }

    /// Several lines as one.
    private static func line(_ text: String) -> String {
        text.split(whereSeparator: { $0.isNewline || $0 == "\t" }).joined(separator: " ")
    }
}

extension PostgresError {
    /// - Parameter quotesParameters: whether the statement had parameters, which messages of some classes repeat.
    func fleetError(_ activity: String, quotesParameters: Bool = false) -> FleetError {
        var cause = message
        if let sqlState {
            let isAboutValues = ["22", "23", "P0"].contains(sqlState.prefix(2))
            cause = quotesParameters && isAboutValues ? "SQLSTATE \(sqlState)" : "\(message) (SQLSTATE \(sqlState))"
        }
        return FleetError(code, activity, cause: cause, hint: hint, retriable: isRetriable)
    }

    /// What a caller would do about it, by SQLSTATE and, where that is unknown, by its class.
    var code: FleetError.Code {
        guard let sqlState else { return .unavailable }
        switch sqlState {
        case "57014": return .cancelled
        case "57P01", "57P02", "57P03", "57P05", "25P03": return .unavailable
        case "57P04", "3D000", "42P01", "42704", "58P01": return .notFound
        case "42501": return .denied
        case "42710", "42P04", "42P07": return .alreadyExists
        case "55P02", "0A000": return .unsupported
        case "55006", "55P03", "40001", "40P01": return .conflict
        case "55P04", "25006": return .refused
        case "42601": return .usage
        case "XX001", "XX002": return .corrupted
        default: break
        }
        return Self.classes[String(sqlState.prefix(2))] ?? .failed
    }

    /// Too many connections now may be few enough soon; a full disk will not empty itself.
    var isRetriable: Bool? { sqlState == "53300" ? true : nil }

    private static let classes: [String: FleetError.Code] = [
        "08": .unavailable, "0A": .unsupported, "28": .denied, "3D": .notFound, "40": .conflict, "53": .exhausted,
        "54": .exhausted,
    ]
}

extension Substring {
    /// Where `text` ends in this string, each time it occurs.
    fileprivate func indices(after text: String) -> [Index] {
        indices.filter { self[$0...].hasPrefix(text) }.map { index($0, offsetBy: text.count) }
    }
}
