import DurableFiles
import FleetPluginAPI
import FoundationEssentials
import ProcessRunner

/// All that is kept of an application that fleet supervises: `<state>/applications/<name>/`.
///
/// | file | meaning |
/// |---|---|
/// | `definition.json` | how a copy is started |
/// | `desired.json` | how many there should be |
/// | `record.json` | how many there were before a run took it down |
/// | `supervisor` | a lock, held by the supervisor as long as it lives |
/// | `status.json` | what the supervisor did last, and its copies |
/// | `change` | a lock, held by whoever changes the application |
struct ApplicationFolder: Sendable {
    let path: String

    init(path: String) {
        self.path = path
    }

    init(state: String, application: String) throws {
        guard !application.isEmpty, !application.hasPrefix("."), !application.utf8.contains(UInt8(ascii: "/")),
            !application.utf8.contains(0), application.utf8.count <= 200
        else { throw FleetError(.configuration, "\(application) cannot be the name of an application") }
        path = "\(state)/applications/\(application)"
    }

    var changeLock: String { "\(path)/change" }
    var supervisorLock: String { "\(path)/supervisor" }
    var supervisorLog: String { "\(path)/supervisor.log" }
    var output: String { "\(path)/output.log" }

    /// The variables by which every process of the application is found, and the copy it belongs to.
    static let marker = "FLEET_APPLICATION"
    static let copyMarker = "FLEET_APPLICATION_COPY"

    struct Desired: Codable, Hashable {
        var count: Int
        /// Grows with each change, so that it can be seen which one the supervisor knows.
        var generation: Int
    }

    struct Status: Codable, Hashable {
        var supervisor: ProcessIdentity
        var generation: Int
        var copies: [Copy]
    }

    struct Copy: Codable, Hashable {
        var number: Int
        /// The first process, which leads the session that all others are in; kept until the session is empty.
        var leader: ProcessIdentity
        var restarts: Int
        /// How the one before it ended.
        var lastEnd: String?
    }

    var definition: ApplicationDefinition? { get throws { try read("definition.json") } }
    var desired: Desired? { get throws { try read("desired.json") } }
    var status: Status? { get throws { try read("status.json") } }
    var record: QuiesceRecord? { get throws { try read("record.json") } }

    func write(_ definition: ApplicationDefinition) throws { try write(definition, "definition.json") }
    func write(_ desired: Desired) throws { try write(desired, "desired.json") }
    func write(_ status: Status) throws { try write(status, "status.json") }
    /// - Throws: `alreadyExists`: a record is never overwritten.
    func create(_ record: QuiesceRecord) throws { try write(record, "record.json", replaces: false) }
    func removeRecord() throws { try BlockingDisk.remove("\(path)/record.json") }

    private func read<Value: Decodable>(_ name: String) throws -> Value? {
        guard let bytes = try BlockingDisk.readIfPresent("\(path)/\(name)", limit: 16 << 20) else { return nil }
        do {
            return try JSONDecoder().decode(Value.self, from: Data(bytes))
        } catch {
            throw FleetError(.corrupted, "\(path)/\(name) cannot be read", cause: "\(error)")
        }
    }

    private func write(_ value: some Encodable, _ name: String, replaces: Bool = true) throws {
        let options = WriteOptions(replaces: replaces, mode: 0o600)
        try BlockingDisk.write([UInt8](JSONEncoder().encode(value)), to: "\(path)/\(name)", options)
    }
}

/// How a copy of an application is started and judged.
struct ApplicationDefinition: Codable, Hashable, Sendable {
    var command: [String]
    /// Copies when it is started for the first time.
    var count: Int
    var environment: [String: String]
    var user: String?
    var workingDirectory: String
    var logFile: String
    var readyFile: String?
    var startSeconds: Int64
    var stopSeconds: Int64

    init(_ command: [String], _ options: PluginOptions, in folder: ApplicationFolder) throws {
        let directory = options.string("workingDirectory") ?? "/"
        self.command = command
        // Relative to where it runs, as a shell has it.
        if let program = command.first, program.contains("/"), !program.hasPrefix("/") {
            self.command[0] = "\(directory)/\(program)"
        }
        count = Int(options.integer("count") ?? 1)
        environment = options.stringMap("environment") ?? [:]
        user = options.string("user")
        workingDirectory = directory
        logFile = options.string("logFile") ?? folder.output
        readyFile = options.string("readyFile")
        startSeconds = options.integer("startSeconds") ?? 1
        stopSeconds = options.integer("stopSeconds") ?? 10
    }

    /// The command of one copy.
    func command(copy: Int, in folder: ApplicationFolder, as account: UserAccount?) -> Command {
        let marks = [ApplicationFolder.marker: folder.path, ApplicationFolder.copyMarker: "\(copy)"]
        return Command(
            command, environment: .minimal.adding(environment.merging(marks) { $1 }),
            workingDirectory: workingDirectory,
            user: account)
    }
}
