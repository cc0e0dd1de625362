import DurableFiles
import FleetPluginAPI
import Glibc

/// A data directory that moves aside by a rename within its volume: at once, and without room for a copy. Blocks.
struct AsideDirectory: Sendable {
    private let place: String
    private let aside: String
    /// What was in place when the old data was put back.
    private let removed: String

    /// - Throws: `usage`.
    init(_ directory: String, _ tag: String) throws {
        guard AsideTag.isPlain(tag) else {
            throw FleetError(.usage, "\(tag) cannot be a tag", hint: "letters, digits and hyphens, at most 100")
        }
        place = FilePathText.normal(directory)
        aside = "\(place).fleet-aside-\(tag)"
        removed = "\(place).fleet-removed-\(tag)"
    }

    func setAside() throws {
        if try BlockingDisk.status(aside) == nil {
            guard try !VolumeFacts.look(place).isAbsent else {
                throw FleetError(.notFound, "there is no data to set aside", cause: "\(place) is missing or empty")
            }
            try refuseTablespaces()
            try move(place, to: aside)
        }
        try makeEmpty()
    }

    func putBack() throws {
        if try BlockingDisk.status(aside) != nil {
            if try BlockingDisk.status(place) != nil {
                // Left by an earlier attempt that ended here.
                try BlockingDisk.removeTree(removed)
                try move(place, to: removed)
            }
            try move(aside, to: place)
        } else if try BlockingDisk.status("\(place)/PG_VERSION") == nil {
            throw FleetError(.notFound, "nothing was set aside under this tag", cause: "there is no \(aside)")
        }
        try BlockingDisk.removeTree(removed)
    }

    func discard() throws {
        try BlockingDisk.removeTree(aside)
        try BlockingDisk.removeTree(removed)
    }

    private func refuseTablespaces() throws {
        let links = "\(place)/pg_tblspc"
        guard try BlockingDisk.status(links) != nil else { return }
        let count = try BlockingDisk.list(links, followingLinks: true).count { Int($0.name) != nil }
        guard count == 0 else {
            throw FleetError(
                .refused, "the data cannot be set aside: it has \(count) tablespaces",
                cause: "they lie outside the data directory and would be shared by the old and the new one",
                hint: "restore it beside with --into, or remove the tablespaces")
        }
    }

    private func move(_ path: String, to destination: String) throws {
        do {
            try BlockingDisk.rename(path, to: destination)
        } catch let error as FleetError where error.code == .conflict || error.code == .denied {
            throw FleetError(
                .refused, "the data directory cannot be renamed to \(destination)", cause: error.cause,
                hint: "the folder above it in the volume must be writable by the container's user: set fsGroup")
        }
    }

    /// An empty directory with the old one's owner and mode.
    private func makeEmpty() throws {
        guard try BlockingDisk.status(place) == nil else { return }
        let old = try BlockingDisk.status(aside)
        try BlockingDisk.makeDirectories(
            place, mode: old?.mode ?? 0o700, owner: geteuid() == 0 ? old?.owner : nil)
    }
}

enum AsideTag {
    static func isPlain(_ tag: String) -> Bool {
        !tag.isEmpty && tag.utf8.count <= 100
            && tag.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
