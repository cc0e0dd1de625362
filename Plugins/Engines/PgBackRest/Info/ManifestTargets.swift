import FleetPluginAPI
import FoundationEssentials

/// The tablespaces that a `backup.manifest` names, in its section `[backup:target]`:
/// `pg_tblspc/16392={"path":"/srv/fast","tablespace-id":"16392","tablespace-name":"fast","type":"link"}`.
enum ManifestTargets {
    static func tablespaces(_ manifest: [UInt8]) -> [BackupRecord.Tablespace] {
        var found: [BackupRecord.Tablespace] = []
        var isHere = false
        for line in manifest.split(separator: UInt8(ascii: "\n")) {
            if line.first == UInt8(ascii: "[") {
                // The files of the backup come later, and are many.
                if isHere { return found }
                isHere = line.elementsEqual("[backup:target]".utf8)
                continue
            }
            guard isHere, let equals = line.firstIndex(of: UInt8(ascii: "=")),
                let name = String(validating: line[..<equals], as: UTF8.self), name.hasPrefix("pg_tblspc/"),
                let oid = UInt32(name.dropFirst("pg_tblspc/".count)),
                let value = try? JSONText.decode(JSONValue.self, Array(line[line.index(after: equals)...]), name),
                let path = value["path"]?.string
            else { continue }
            found.append(BackupRecord.Tablespace(oid: oid, path: path))
        }
        return found
    }
}
