import FleetPluginAPI

/// What pgBackRest's exit statuses mean.
///
/// pgBackRest source: `src/build/error/error.yaml`; 1 is `archive-get`'s "there is no such segment".
enum PgBackRestFailure {
    /// - Parameters:
    ///   - doing: what failed, for people: `the backup of orders`.
    ///   - said: what it wrote to stderr.
    static func error(_ status: Int32, _ doing: String, said: String) -> FleetError {
        let cause = cause(said)
        switch status {
        case 50:
            return FleetError(
                .conflict, "\(doing): pgBackRest is at work on the stanza already", cause: cause,
                hint: "wait until it has ended, such as a backup that cron has begun; fleet does not fight it")
        case 62:
            return FleetError(
                .refused, "\(doing): pgBackRest was told to stop", cause: cause, hint: "pgbackrest start lets it work")
        case 38, 40: return FleetError(.refused, "\(doing): the data directory is in use", cause: cause)
        case 44, 51, 58, 81: return FleetError(.drifted, "\(doing): the stanza is of another server", cause: cause)
        case 45:
            return FleetError(.alreadyExists, "\(doing): the archive has another segment of that name", cause: cause)
        case 27, 30, 31, 32, 37, 43, 48:
            return FleetError(.configuration, "\(doing): pgBackRest's options", cause: cause)
        case 26, 28, 29, 42: return FleetError(.corrupted, "\(doing): what is stored is damaged", cause: cause)
        case 41, 53, 98, 105: return FleetError(isDenial(said) ? .denied : .unavailable, doing, cause: cause)
        case 55, 73, 75: return FleetError(.notFound, doing, cause: cause)
        case 39, 49, 56, 57, 80, 101, 103: return FleetError(.unavailable, doing, cause: cause)
        case 46, 67: return FleetError(.unsupported, doing, cause: cause)
        case 63: return FleetError(.cancelled, doing, cause: cause)
        case 68, 87:
            return FleetError(
                .configuration, "\(doing): the server does not archive through pgBackRest", cause: cause,
                hint: "see: fleet instances archiving")
        case 82:
            return FleetError(
                .timedOut, "\(doing): WAL did not reach the archive in time", cause: cause,
                hint: "the server's log says why archive_command fails")
        case 127:
            return FleetError(
                .notFound, "\(doing): pgbackrest cannot be run there", cause: cause, hint: "set `binary` of the engine")
        default:
            return FleetError(.failed, doing, cause: cause ?? "pgBackRest's exit status is \(status)")
        }
    }

    private static func isDenial(_ text: String) -> Bool {
        // The number of the system's error; its words depend on the locale.
        text.contains("[13]")
    }

    /// The last error with the lines that go on with it, hints included; nil when it said nothing.
    private static func cause(_ said: String) -> String? {
        let lines = said.split(whereSeparator: \.isNewline).map(String.init)
        let begin = lines.lastIndex { ConsoleLine($0)?.level == .error }
        let kept = begin.map { Array(lines[$0...].prefix(6)) } ?? Array(lines.suffix(3))
        let text = kept.map { ConsoleLine($0)?.text ?? trimmed($0) }.joined(separator: "; ")
        return text.isEmpty ? nil : text
    }

    private static func trimmed(_ line: String) -> String {
        String(line.drop(while: \.isWhitespace))
    }
}
