import DurableFiles
import FleetPluginAPI

/// Compares what the application was told with what the restored database holds.
struct DemoProof: Sendable {
    struct Order: Sendable {
        var id: Int64
        var sent: Timestamp
        var acknowledged: Timestamp
    }

    /// Acknowledged at or before the target, and how many of these are there.
    var acknowledgedBefore = 0
    var found = 0
    /// Sent after the target and before the disaster's repair, and how many of these are there.
    var sentAfter = 0
    var wronglyThere = 0

    var holds: Bool { found == acknowledgedBefore && wronglyThere == 0 }

    /// Every order that the copies of an application noted.
    static func orders(in directory: String) throws -> [Order] {
        var orders: [Order] = []
        for entry in try BlockingDisk.list(directory) where entry.name.hasPrefix("orders.") {
            let text = String(decoding: try BlockingDisk.read("\(directory)/\(entry.name)"), as: UTF8.self)
            orders += text.split(separator: "\n").compactMap(Order.init)
        }
        return orders
    }

    /// - Parameter repaired: when the restored server took orders again; later ones are new life. An order id may
    ///   come twice: the sequence went back with everything else.
    init(orders: [Order], present: Set<Int64>, target: Timestamp, repaired: Timestamp) {
        let again = Set(orders.filter { $0.sent >= repaired }.map(\.id))
        for order in orders where order.sent < repaired {
            if order.acknowledged <= target {
                acknowledgedBefore += 1
                if present.contains(order.id) { found += 1 }
            } else if order.sent > target {
                sentAfter += 1
                if present.contains(order.id), !again.contains(order.id) { wronglyThere += 1 }
            }
        }
    }
}

extension DemoProof.Order {
    /// `id sent acknowledged`, the times in seconds with six digits of fraction.
    init?(_ line: some StringProtocol) {
        let parts = line.split(separator: " ")
        guard parts.count == 3, let id = Int64(parts[0]), let sent = Self.time(parts[1]),
            let acknowledged = Self.time(parts[2])
        else { return nil }
        self.init(id: id, sent: sent, acknowledged: acknowledged)
    }

    private static func time(_ text: some StringProtocol) -> Timestamp? {
        let parts = text.split(separator: ".")
        guard parts.count == 2, parts[1].count == 6, let seconds = Int64(parts[0]), let micro = Int64(parts[1]) else {
            return nil
        }
        return Timestamp(microseconds: seconds * 1_000_000 + micro)
    }
}
