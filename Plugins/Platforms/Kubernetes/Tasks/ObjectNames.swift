import FleetPluginAPI

/// Names and labels of what fleet makes in a cluster.
enum ObjectNames {
    static let manager = "fleet"
    static let managedBy = "app.kubernetes.io/managed-by"
    static let instanceLabel = "fleet.dev/instance"
    static let taskLabel = "fleet.dev/task"
    static let scratchLabel = "fleet.dev/scratch"
    static let purpose = "fleet.dev/purpose"
    /// The container of a Job that does the work.
    static let taskContainer = "task"
    static let agentContainer = "fleet-agent"

    /// A Job's name: the task's key, and what tells instances apart. At most 61 characters, so that the names of its
    /// pods keep it whole.
    ///
    /// - Throws: `usage` for a key that cannot be part of a name.
    static func job(_ key: String, of instance: Instance) throws -> String {
        let isLabel =
            !key.isEmpty && key.utf8.count <= 52
            && key.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
            } && !key.hasPrefix("-")
        guard isLabel else {
            throw FleetError(
                .usage, "\(key) cannot be the key of a task",
                hint: "lower-case letters, digits and hyphens, at most 52")
        }
        return "\(key)-\(digest("\(instance.cluster)/\(instance.name)"))"
    }

    static func configMap(_ instance: String) -> String { "fleet-agent-\(dnsName(instance, limit: 200))" }

    /// A label's value: the name where it can be one (63 characters, no slashes), else what tells it apart.
    static func labelValue(_ name: String) -> String {
        let isPlain =
            !name.isEmpty && name.utf8.count <= 63
            && name.utf8.allSatisfy { byte in
                isAlphanumeric(byte) || "-_.".utf8.contains(byte)
            } && name.utf8.first.map(isAlphanumeric) == true && name.utf8.last.map(isAlphanumeric) == true
        return isPlain ? name : "x\(digest(name))"
    }

    /// Lower-case letters, digits and hyphens, as names of objects have them; a digest keeps changed names apart.
    static func dnsName(_ name: String, limit: Int) -> String {
        let plain = name.utf8.map { byte -> Character in
            let lower = (0x41...0x5A).contains(byte) ? byte + 32 : byte
            return (0x61...0x7A).contains(lower) || (0x30...0x39).contains(lower)
                ? Character(Unicode.Scalar(lower)) : "-"
        }
        let text = String(plain)
        let isSame = text == name && name.utf8.count <= limit && !name.hasPrefix("-") && !name.hasSuffix("-")
        return isSame ? text : "\(text.drop { $0 == "-" }.prefix(limit - 9))-\(digest(name))"
    }

    /// FNV-1a, 32 bits, in eight digits: tells names apart, no more.
    static func digest(_ text: String) -> String {
        let hash = text.utf8.reduce(0x811c_9dc5 as UInt32) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
    }
}
