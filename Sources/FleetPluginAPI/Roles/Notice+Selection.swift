extension Notice.Event {
    /// The option `events` of a notifier: which notices it delivers; nil for all.
    public static let option = OptionSpec(
        "events", .stringList,
        help: "Which notices to deliver: \(allCases.map(\.rawValue).joined(separator: ", ")). Without it: all.")

    /// What the option `events` says.
    ///
    /// - Throws: `FleetError.configuration` that names the event there is not.
    public static func selected(by options: PluginOptions) throws(FleetError) -> Set<Notice.Event> {
        guard let names = options.strings(option.name) else { return Set(allCases) }
        var events: Set<Notice.Event> = []
        for name in names {
            guard let event = Notice.Event(rawValue: name) else {
                throw FleetError(
                    .configuration, "there is no event \(name)",
                    hint: "there are: \(allCases.map(\.rawValue).joined(separator: ", "))")
            }
            events.insert(event)
        }
        return events
    }
}
