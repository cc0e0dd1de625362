import ArgumentParser
import FleetPluginAPI
import FleetPluginHost
import TerminalUI

/// `fleet plugins list`
struct PluginsList: FleetQuestion {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List plugins by role.",
        discussion: "With --verbose also their options, as fleet.yaml takes them. Needs no fleet.yaml.")

    @OptionGroup var global: GlobalOptions

    func answer(_ session: Session) async throws -> PluginList {
        PluginList(plugins: session.registry.descriptors.map(PluginView.init))
    }
}

/// Plugins in JSON.
struct PluginList: Displayable {
    var plugins: [PluginView]

    func lines(_ page: Page) -> [StyledText] {
        guard !page.isVerbose else { return Array(plugins.map { card($0, page) }.joined(separator: [""])) }
        var table = Table([.init("ROLE"), .init("PLUGIN"), .init("VERSION"), .init("SUMMARY", shrinksTo: 20)])
        for plugin in plugins {
            table.add([
                StyledText(plugin.role), StyledText(plugin.name, .accent), StyledText(plugin.version),
                StyledText(plugin.summary),
            ])
        }
        return table.lines(width: page.width)
    }

    private func card(_ plugin: PluginView, _ page: Page) -> [StyledText] {
        let title = StyledText(plugin.name, .strong) + StyledText("  \(plugin.role), \(plugin.version)", .faint)
        var card = Card(page, nameColumns: 22)
        for option in plugin.options { card.add(option.name, option.text) }
        for option in plugin.instanceOptions { card.add("instance: \(option.name)", option.text) }
        return [title] + Paragraph.lines("", plugin.summary, page) + card.lines
    }
}

struct PluginView: Hashable, Codable, Sendable {
    /// `engine`, `storage`, `platform`, `scaler`, `probe`, `notifier`.
    var role: String
    var name: String
    var version: String
    var summary: String
    var options: [OptionView]
    /// Platforms only: options in the `platform:` block of each instance.
    var instanceOptions: [OptionView]

    init(_ descriptor: PluginDescriptor) {
        role = descriptor.role.rawValue
        name = descriptor.name
        version = descriptor.version
        summary = descriptor.summary
        options = descriptor.options.map(OptionView.init)
        instanceOptions = descriptor.instanceOptions.map(OptionView.init)
    }
}

struct OptionView: Hashable, Codable, Sendable {
    var name: String
    /// `string`, `path`, `integer`, `boolean`, `duration`, `size`, `percent`, `secret`, `url`, `choice`,
    /// `stringList`, `stringMap`, `any`.
    var kind: String
    /// What a `choice` may be.
    var choices: [String]?
    var isRequired: Bool
    var defaultValue: JSONValue?
    var help: String

    init(_ option: OptionSpec) {
        name = option.name
        isRequired = option.isRequired
        defaultValue = option.defaultValue
        help = option.help
        switch option.kind {
        case .string: kind = "string"
        case .path: kind = "path"
        case .integer: kind = "integer"
        case .boolean: kind = "boolean"
        case .duration: kind = "duration"
        case .size: kind = "size"
        case .percent: kind = "percent"
        case .secret: kind = "secret"
        case .url: kind = "url"
        case .choice(let words):
            kind = "choice"
            choices = words
        case .stringList: kind = "stringList"
        case .stringMap: kind = "stringMap"
        case .any: kind = "any"
        }
    }

    var text: String {
        let form = choices.map { $0.joined(separator: "|") } ?? kind
        return "\(form)\(isRequired ? ", required" : ""). \(help)"
    }
}
