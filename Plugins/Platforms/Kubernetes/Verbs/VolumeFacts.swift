import DurableFiles
import FleetPluginAPI
import FoundationEssentials
import PostgresFormats

/// What a data directory says of itself.
struct VolumeFacts: Hashable, Sendable, Codable {
    /// There is no data directory, or an empty one.
    var isAbsent: Bool
    /// From `PG_VERSION`: `15`.
    var majorVersion: String?
    var control: ControlFacts?
    var remarks: [String] = []

    /// Blocks.
    static func look(_ directory: String) throws -> VolumeFacts {
        // ext4 keeps lost+found in the root of a volume.
        guard try BlockingDisk.status(directory, followingLinks: true) != nil,
            try BlockingDisk.list(directory, followingLinks: true).contains(where: { $0.name != "lost+found" })
        else { return VolumeFacts(isAbsent: true) }
        var facts = VolumeFacts(
            isAbsent: false,
            majorVersion: try BlockingDisk.readIfPresent("\(directory)/PG_VERSION", limit: 64).flatMap(version))
        do {
            facts.control = try control(BlockingDisk.read("\(directory)/global/pg_control", limit: 65_536))
        } catch {
            facts.remarks.append("pg_control cannot be read: \(FleetError(error, "global/pg_control"))")
        }
        return facts
    }

    /// The first line of `PG_VERSION`.
    static func version(_ bytes: [UInt8]) -> String? {
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
        guard !line.isEmpty, line.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }) else {
            return nil
        }
        return String(decoding: line, as: UTF8.self)
    }

    /// - Throws: `corrupted`, `unsupported`.
    static func control(_ bytes: [UInt8]) throws -> ControlFacts {
        let file = try ControlFile(bytes)
        return ControlFacts(
            systemIdentifier: file.systemIdentifier, state: file.state.description, timeline: file.checkpoint.timeline,
            checkpointLSN: file.checkpoint.location, redoLSN: file.checkpoint.redo, parameters: file.parameters,
            hasDataChecksums: file.hasDataChecksums, walSegmentSize: file.walSegmentSize)
    }

    var line: String {
        get throws { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }
    }

    /// - Throws: `protocolViolation`.
    init(line: String) throws {
        do {
            self = try JSONDecoder().decode(VolumeFacts.self, from: Data(line.utf8))
        } catch {
            throw FleetError(
                .protocolViolation, "what fleet says of a volume is not understood",
                hint: "agentImage must hold the same version of fleet as the coordinator")
        }
    }

    init(isAbsent: Bool, majorVersion: String? = nil, control: ControlFacts? = nil, remarks: [String] = []) {
        self.isAbsent = isAbsent
        self.majorVersion = majorVersion
        self.control = control
        self.remarks = remarks
    }
}
