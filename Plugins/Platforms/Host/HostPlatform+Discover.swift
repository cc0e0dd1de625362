import DurableFiles
public import FleetPluginAPI
import ProcessRunner

extension HostPlatform {
    public func discover() async throws -> [DiscoveredInstance] {
        let places = try await disk.run { try Self.dataDirectories() }
        var found: [DiscoveredInstance] = []
        var names: Set<String> = []
        for place in places {
            guard var instance = await describe(place) else { continue }
            let base = instance.suggestedName
            var number = 2
            while !names.insert(instance.suggestedName).inserted {
                instance.suggestedName = "\(base)-\(number)"
                number += 1
            }
            found.append(instance)
        }
        return found
    }

    /// A directory where an instance may be.
    private struct Place: Sendable {
        var path: String
        var name: String
    }

    /// Of running servers, of Debian's clusters, and in the places where packages put them; each once.
    private static func dataDirectories() throws -> [Place] {
        var places: [Place] = []
        for entry in ProcessTable.all() where entry.isAlive && ServerProcesses.isPostgres(entry) {
            guard let path = try? BlockingDisk.destination(ofLink: "/proc/\(entry.pid)/cwd") else { continue }
            places.append(Place(path: path, name: name(of: path)))
        }
        // Debian's names are the better ones, so they come first where a directory is found twice.
        places =
            try DebianCluster.all(in: "/etc/postgresql").map { cluster in
                Place(path: cluster.dataDirectory, name: label("pg\(cluster.version)-\(cluster.name)"))
            } + places
        for (root, depth) in [("/var/lib/postgresql", 2), ("/var/lib/pgsql", 2), ("/var/lib/pgsql", 1)] {
            places += folders(under: root, depth: depth).map { Place(path: $0, name: name(of: $0)) }
        }
        var seen: Set<[UInt64]> = []
        return places.filter { place in
            guard let status = try? BlockingDisk.status(place.path, followingLinks: true),
                (try? HostInstance.majorVersion(in: place.path)) != nil
            else { return false }
            return seen.insert([status.device, status.inode]).inserted
        }
    }

    private static func folders(under root: String, depth: Int) -> [String] {
        guard depth > 0 else { return [root] }
        let entries = (try? BlockingDisk.list(root, followingLinks: true)) ?? []
        return entries.filter { $0.kind != .file }.flatMap { folders(under: "\(root)/\($0.name)", depth: depth - 1) }
    }

    /// Nil for a scratch place, which fleet knows already.
    private func describe(_ place: Place) async -> DiscoveredInstance? {
        let parent = place.path.split(separator: "/").dropLast().map { "/\($0)" }.joined()
        if (try? await disk.run { try ScratchMarker.read(in: parent) }) != nil { return nil }
        let platform = PluginOptions(["dataDirectory": .string(place.path)])
        let instance = Instance(name: place.name, cluster: context.name, environment: "", platform: platform)
        var result = DiscoveredInstance(
            suggestedName: place.name, platform: platform, systemIdentifier: nil, majorVersion: nil, isRunning: false)
        do {
            let observation = try await observe(instance)
            result.systemIdentifier = observation.control?.systemIdentifier
            result.majorVersion = observation.majorVersion
            result.isRunning = [.running, .starting, .stopping].contains(observation.state)
            result.remarks = observation.remarks
        } catch {
            result.majorVersion = try? await disk.run { try HostInstance.majorVersion(in: place.path) }
            result.remarks = ["\(FleetError(error, place.path))"]
        }
        return result
    }

    /// The last folder's name that says something: `orders` of `/srv/orders/data`.
    private static func name(of path: String) -> String {
        let parts = path.split(separator: "/").map(String.init)
        let telling = parts.last { !["data", "pgdata", "main", "pg_data"].contains($0) && Int($0) == nil }
        return label(telling ?? parts.last ?? "postgres")
    }

    /// A DNS label made of any text.
    private static func label(_ text: String) -> String {
        let letters = text.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        let trimmed = String(letters).split(separator: "-").joined(separator: "-").prefix(50)
        return trimmed.isEmpty ? "postgres" : String(trimmed)
    }
}
