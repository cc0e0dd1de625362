import DurableFiles
public import FleetPluginAPI
import FoundationEssentials

/// Writes every notice as a line of JSON to the end of a file, durable before the run goes on.
public struct LogNotifier: Notifier {
    private let path: String
    private let events: Set<Notice.Event>

    public static let descriptor = PluginDescriptor(
        role: .notifier, name: "log", version: "1.0.0",
        summary: "Adds each notice to a file as a line of JSON.",
        options: [
            OptionSpec("path", .path, required: true, help: "The file; it is made with mode 0640 when missing."),
            Notice.Event.option,
        ])

    public init(_ context: PluginContext, _ options: PluginOptions) throws {
        path = try options.required("path")
        events = try Notice.Event.selected(by: options)
    }

    public func notify(_ notice: Notice) async throws {
        guard events.contains(notice.event) else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let line = try encoder.encode(notice) + [UInt8(ascii: "\n")]
        try await Disk().append([UInt8](line), to: path)
    }
}
