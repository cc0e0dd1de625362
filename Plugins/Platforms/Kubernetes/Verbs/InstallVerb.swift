import DurableFiles
import FleetPluginAPI
import Glibc

/// `fleet agent install DIRECTORY [--own PATH USER]`: copies the program and its libraries there, as the init container
/// of a pod whose own image has no fleet. What stands there already is replaced when it differs.
///
/// `--own` gives the root of a new volume to the number of a user, where this process may and it is still root's: not
/// every kind of volume heeds `fsGroup`.
enum InstallVerb {
    /// What is copied of the folder that holds `bin/fleet`.
    private static let parts = ["bin", "lib"]

    static let verb = InternalVerb(name: "install") { arguments in
        let isOwning = arguments.count == 4 && arguments[1] == "--own"
        let user = isOwning ? UInt32(arguments[3]) : nil
        guard arguments.count == 1 || user != nil, let target = arguments.first, target.hasPrefix("/") else {
            VerbOutput.complain("usage: fleet agent install DIRECTORY [--own PATH USER]")
            return ExitStatus.usage.rawValue
        }
        return await VerbOutput.reporting("install fleet in \(target)") {
            try await Disk().run {
                try install(from: installation(), to: target)
                if let user { try own(arguments[2], user) }
            }
        }
    }

    private static func own(_ path: String, _ user: UInt32) throws {
        guard geteuid() == 0, try BlockingDisk.status(path)?.owner.user == 0 else { return }
        try BlockingDisk.setOwner(FileOwner(user: user, group: user), of: path)
    }

    /// The folder above `bin/fleet`.
    private static func installation() throws -> String {
        let own = "/fleet"
        guard try BlockingDisk.status("\(own)/bin/fleet", followingLinks: true) == nil else { return own }
        let program = try BlockingDisk.destination(ofLink: "/proc/self/exe")
        return program.split(separator: "/").dropLast(2).map { "/\($0)" }.joined()
    }

    /// Blocks.
    static func install(from source: String, to target: String) throws {
        for part in parts {
            let (original, place) = ("\(source)/\(part)", "\(target)/\(part)")
            guard try BlockingDisk.status(original, followingLinks: true) != nil else { continue }
            if try isSame(original, place) { continue }
            let fresh = "\(place).new"
            try BlockingDisk.removeTree(fresh)
            try BlockingDisk.copyTree(original, to: fresh)
            try BlockingDisk.removeTree(place)
            try BlockingDisk.rename(fresh, to: place)
        }
    }

    /// Whether a directory holds files of the same names, sizes and times: a container that starts again.
    private static func isSame(_ original: String, _ place: String) throws -> Bool {
        guard try BlockingDisk.status(place)?.kind == .directory else { return false }
        let entries = try BlockingDisk.list(original, followingLinks: true)
        for entry in entries {
            let old = try BlockingDisk.status("\(original)/\(entry.name)", followingLinks: true)
            let new = try BlockingDisk.status("\(place)/\(entry.name)", followingLinks: true)
            guard let old, let new, old.size == new.size, old.modified == new.modified else { return false }
        }
        return try BlockingDisk.list(place).count == entries.count
    }
}
