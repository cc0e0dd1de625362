import DurableFiles
public import FleetPluginAPI
import Glibc
import ProcessRunner

/// The data directory moves aside by a rename in its own parent directory: at once, and without room for a copy.
extension HostPlatform {
    public func setAside(_ instance: Instance, tag: String) async throws {
        let host = try await HostInstance.resolve(instance, on: disk)
        try await disk.run {
            let places = try AsidePlaces(host, tag)
            guard try BlockingDisk.status(places.aside) == nil else {
                return try Self.makeEmpty(places, host)
            }
            guard !host.isAbsent else {
                throw FleetError(
                    .notFound, "the instance \(host.name) has no data to set aside",
                    cause: "\(host.dataDirectory) is missing or empty")
            }
            try Self.refuseRunning(host, "set aside")
            try Self.refuseTablespaces(host)
            try Self.move(places.place, to: places.aside, host)
            try Self.makeEmpty(places, host)
        }
    }

    public func putBack(_ instance: Instance, tag: String) async throws {
        let host = try await HostInstance.resolve(instance, on: disk)
        try await disk.run {
            let places = try AsidePlaces(host, tag)
            if try BlockingDisk.status(places.aside) != nil {
                try Self.refuseRunning(host, "replaced by what was set aside")
                if try BlockingDisk.status(places.place) != nil {
                    // Left by an earlier attempt that ended here.
                    try BlockingDisk.removeTree(places.removed)
                    try Self.move(places.place, to: places.removed, host)
                }
                try Self.move(places.aside, to: places.place, host)
            } else if try BlockingDisk.status("\(places.place)/PG_VERSION") == nil {
                throw FleetError(
                    .notFound, "nothing was set aside of the instance \(host.name) under \(tag)",
                    cause: "there is no \(places.aside)")
            }
            try BlockingDisk.removeTree(places.removed)
        }
    }

    public func discardAside(_ instance: Instance, tag: String) async throws {
        let host = try await HostInstance.resolve(instance, on: disk)
        try await disk.run {
            let places = try AsidePlaces(host, tag)
            try BlockingDisk.removeTree(places.aside)
            try BlockingDisk.removeTree(places.removed)
        }
    }

    private static func refuseRunning(_ host: HostInstance, _ what: String) throws {
        let server = try ServerState.look(host)
        guard server.isGone else {
            throw FleetError(
                .refused,
                "the data directory of \(host.name) cannot be \(what): its server is \(server.state.rawValue)",
                cause: server.remarks.first, hint: "stop the instance first")
        }
    }

    private static func refuseTablespaces(_ host: HostInstance) throws {
        let links = host.file("pg_tblspc")
        guard try BlockingDisk.status(links) != nil else { return }
        let found = try BlockingDisk.list(links, followingLinks: true).filter { Int($0.name) != nil }
        guard found.isEmpty else {
            throw FleetError(
                .refused, "the data of \(host.name) cannot be set aside: it has \(found.count) tablespaces",
                cause: "they lie outside the data directory and would be shared by the old and the new one",
                hint: "restore it beside with --into, or remove the tablespaces")
        }
    }

    private static func move(_ path: String, to destination: String, _ host: HostInstance) throws {
        do {
            try BlockingDisk.rename(path, to: destination)
        } catch let error as FleetError where error.code == .conflict || error.code == .denied {
            throw FleetError(
                .refused, "the data directory of \(host.name) cannot be renamed to \(destination)", cause: error.cause,
                hint: "a mount point cannot be renamed, and the parent directory must be writable by \(host.owner.name)"
            )
        }
    }

    /// An empty directory with the old one's owner and mode: the owner may not be allowed to make it.
    private static func makeEmpty(_ places: AsidePlaces, _ host: HostInstance) throws {
        guard try BlockingDisk.status(places.place) == nil else { return }
        let mode = try BlockingDisk.status(places.aside)?.mode ?? 0o700
        try BlockingDisk.makeDirectories(places.place, mode: mode, owner: geteuid() == 0 ? host.fileOwner : nil)
    }
}

/// Names beside a data directory.
private struct AsidePlaces {
    /// The data directory itself.
    var place: String
    var aside: String
    /// What was in place when the old data was put back.
    var removed: String

    init(_ host: HostInstance, _ tag: String) throws {
        guard !tag.isEmpty, tag.count <= 100, tag.utf8.allSatisfy(Self.isPlain) else {
            throw FleetError(.usage, "\(tag) cannot be a tag", hint: "letters, digits and hyphens, at most 100")
        }
        place = host.dataDirectory
        aside = "\(place).fleet-aside-\(tag)"
        removed = "\(place).fleet-removed-\(tag)"
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
