import FleetPluginAPI
import TerminalUI

/// Found instances in JSON.
struct Discovery: Displayable {
    var instances: [DiscoveredView]
    /// Clusters that could not be looked at.
    var problems: [ClusterProblem]

    func lines(_ page: Page) -> [StyledText] {
        let trouble = ProblemLines.lines(problems.map { ($0.cluster, $0.error) }, page)
        guard !instances.isEmpty else { return ["no instances were found"] + trouble }
        var table = Table([
            .init("FOUND", shrinksTo: 12), .init("CLUSTER"), .init("VERSION"), .init("STATE"),
            .init("DECLARED AS"), .init("WHERE", shrinksTo: 20),
        ])
        for instance in instances {
            table.add([
                StyledText(instance.suggestedName, .accent), StyledText(instance.cluster),
                StyledText(instance.majorVersion ?? "?"),
                instance.isRunning ? StyledText("running", .good) : StyledText("stopped", .caution),
                instance.declaredAs.map { StyledText($0) } ?? StyledText("not declared", .caution),
                StyledText(instance.place),
            ])
        }
        let remarks = instances.flatMap { instance in
            instance.remarks.flatMap { Paragraph.lines("- ", "\(instance.suggestedName): \($0)", page, .faint) }
        }
        return table.lines(width: page.width) + remarks + trouble + declaration
    }

    /// What to add to fleet.yaml.
    private var declaration: [StyledText] {
        let missing = instances.filter { $0.declaredAs == nil }
        guard !missing.isEmpty else { return [] }
        var lines: [StyledText] = ["", StyledText("To declare what is not, add to instances: in fleet.yaml", .faint)]
        for instance in missing {
            lines.append(StyledText("  \(instance.suggestedName):"))
            lines.append(StyledText("    cluster: \(instance.cluster)"))
            lines.append("    platform:")
            let options = (try? TextEncoding.yaml(instance.platform)) ?? ""
            lines += options.split(separator: "\n").map { StyledText("      " + $0) }
            guard let engine = instance.engine else { continue }
            lines.append("    engine:")
            lines += ((try? TextEncoding.yaml(engine)) ?? "").split(separator: "\n").map { StyledText("      " + $0) }
        }
        return lines
    }
}

struct ClusterProblem: Hashable, Codable, Sendable {
    var cluster: String
    var error: FleetError
}

struct DiscoveredView: Hashable, Codable, Sendable {
    var suggestedName: String
    var cluster: String
    /// The instance of fleet.yaml that it is; absent when it is none.
    var declaredAs: String?
    /// The `platform:` block to declare it with.
    var platform: [String: JSONValue]
    /// The `engine:` block to declare it with, where an engine is at work for it already.
    var engine: [String: JSONValue]?
    var systemIdentifier: String?
    var majorVersion: String?
    var isRunning: Bool
    var remarks: [String]

    init(_ found: DiscoveredInstance, cluster: String, declaredAs: String?) {
        suggestedName = found.suggestedName
        self.cluster = cluster
        self.declaredAs = declaredAs
        platform = found.platform.values
        systemIdentifier = found.systemIdentifier.map { "\($0)" }
        majorVersion = found.majorVersion
        isRunning = found.isRunning
        remarks = found.remarks
    }

    /// Its first path, which says most.
    var place: String {
        let texts = platform.sorted { $0.key < $1.key }.compactMap(\.value.string)
        return texts.first { $0.hasPrefix("/") } ?? texts.first ?? ""
    }
}
