import FleetPluginAPI
import TerminalUI

/// Instances as people read them, a row each.
enum InstanceTable {
    static func lines(_ instances: [InstanceView], _ page: Page) -> [StyledText] {
        var table = Table([
            .init("INSTANCE", shrinksTo: 12), .init("CLUSTER", shrinksTo: 8), .init("STATE"), .init("VERSION"),
            .init("TL", .right), .init("SIZE", .right), .init("LAST BACKUP"), .init("ARCHIVED TO"),
        ])
        for instance in instances {
            table.add([
                StyledText(instance.name, .accent), StyledText(instance.cluster), state(instance),
                StyledText(instance.version ?? "?", instance.version == nil ? .faint : .plain),
                StyledText(instance.timeline.map(String.init) ?? "?", instance.timeline == nil ? .faint : .plain),
                StyledText(instance.size.map(ByteSize.text) ?? "?", instance.size == nil ? .faint : .plain),
                backup(instance), archived(instance),
            ])
        }
        return table.lines(width: page.width)
    }

    static func state(_ instance: InstanceView) -> StyledText {
        switch (instance.state, instance.role) {
        case ("running", "primary"?): StyledText("primary", .good)
        case ("running", "standby"?): StyledText("standby", .good)
        case ("running", _): StyledText("no answer", .bad)
        case (let state?, _): StyledText(state, state == "stopped" || state == "absent" ? .bad : .caution)
        case (nil, _): StyledText("unknown", .bad)
        }
    }

    private static func backup(_ instance: InstanceView) -> StyledText {
        guard let backup = instance.lastBackup else {
            return instance.backups == nil ? StyledText("?", .faint) : StyledText("none", .bad)
        }
        return StyledText("\(backup.kind) \(Ages.ago(backup.stopTime, at: instance.observedAt))")
    }

    /// How far the archive reaches: what a loss of the machine would take away.
    static func archived(_ instance: InstanceView) -> StyledText {
        if let archiving = instance.archiving, instance.role == "primary" {
            if archiving.mode == "off" { return StyledText("off", .bad) }
            if archiving.isFailing { return StyledText("failing", .bad) }
        }
        guard let lag = instance.archiveLag else {
            guard instance.backups != nil else { return StyledText("?", .faint) }
            return StyledText("nothing", .bad)
        }
        return StyledText("\(Ages.rough(.seconds(lag))) ago")
    }
}
