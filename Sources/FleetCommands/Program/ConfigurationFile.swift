import DurableFiles
import FleetPluginAPI
import Glibc
import ProcessRunner

/// Which fleet.yaml is meant.
enum ConfigurationFile {
    /// The file named; else `$FLEET_CONFIG`; else the fleet.yaml here or in the nearest folder above.
    ///
    /// - Throws: `configuration` when there is none.
    static func find(
        _ named: String?, from folder: String = Process.workingDirectory,
        variable: String? = Process.variable("FLEET_CONFIG")
    ) throws -> String {
        if let named { return named }
        if let variable, !variable.isEmpty { return variable }
        var place = folder
        while true {
            let candidate = place == "/" ? "/fleet.yaml" : "\(place)/fleet.yaml"
            if try BlockingDisk.status(candidate, followingLinks: true) != nil {
                // Shorter in messages, and the same file.
                return place == Process.workingDirectory ? "fleet.yaml" : candidate
            }
            guard place != "/" else { break }
            place = self.folder(of: place)
        }
        throw FleetError(
            .configuration, "there is no fleet.yaml in \(folder) nor in a folder above it",
            hint: "name one with --config FILE or FLEET_CONFIG, or see a small fleet first: fleet demo")
    }

    /// The folder that a path lies in.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// This process's surroundings.
enum Process {
    static var workingDirectory: String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }

    static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// An absolute path for one that a person typed.
    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : "\(workingDirectory)/\(path)"
    }
}

/// This program's file.
enum Executable {
    /// - Throws: `failed` where /proc is not there.
    static func path() throws -> String {
        do {
            return try BlockingDisk.destination(ofLink: "/proc/self/exe")
        } catch {
            throw FleetError(error, "the path of this program cannot be found")
        }
    }

    /// Whether a shell that is told `fleet` runs this program.
    static func isInPath() throws -> Bool {
        guard let found = ExecutableSearch.find("fleet") else { return false }
        guard let one = try BlockingDisk.status(found, followingLinks: true) else { return false }
        let other = try BlockingDisk.status(path(), followingLinks: true)
        return one.device == other?.device && one.inode == other?.inode
    }
}
