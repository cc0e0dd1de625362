import DurableFiles
public import FleetPluginAPI
import Glibc
import ProcessRunner

/// A scratch place is a directory with a marker, and in it `data` and `tablespaces/OID`; the Unix socket lies in a
/// directory with a short name (a socket's path has at most 107 bytes).
extension HostPlatform {
    public func makeScratch(_ request: ScratchRequest) async throws -> ScratchPlace {
        let source = try await HostInstance.resolve(request.source, on: disk)
        let directory = try scratchDirectory(of: request, beside: source)
        let marker = try await disk.run { try Self.prepare(directory, request, source) }
        try await requireAccess(to: directory, by: source.owner)
        let tablespaces = try await disk.run { try Self.makeFolders(directory, request, marker, source) }
        let options = try await platformOptions(request, directory, marker, source)
        let instance = Instance(
            name: request.name, cluster: request.source.cluster, environment: request.source.environment,
            labels: request.source.labels, platform: options, connection: connection(request, marker))
        return ScratchPlace(
            instance: instance,
            settings: [
                "port": "\(marker.port)", "unix_socket_directories": marker.socketDirectory,
                "listen_addresses": "localhost",
            ], tablespaces: tablespaces)
    }

    public func removeScratch(_ request: ScratchRequest) async throws {
        let source = try await HostInstance.resolve(request.source, on: disk)
        let directory = try scratchDirectory(of: request, beside: source)
        guard let marker = try await disk.run({ try Self.markerToRemove(directory, request) }) else { return }
        let data = "\(directory)/data"
        if try await disk.status(data) != nil {
            let instance = Instance(
                name: request.name, cluster: request.source.cluster, environment: request.source.environment,
                platform: PluginOptions(["dataDirectory": .string(data)]))
            try await stop(instance, mode: .immediate, deadline: .seconds(60))
        }
        let log = "\(context.stateDirectory)/logs/\(request.name).log"
        try await disk.run {
            if Self.isSocketDirectory(marker.socketDirectory, of: directory) {
                try BlockingDisk.removeTree(marker.socketDirectory)
            }
            for entry in try BlockingDisk.list(directory) where entry.name != ScratchMarker.fileName {
                try BlockingDisk.removeTree("\(directory)/\(entry.name)")
            }
            try BlockingDisk.remove(log)
            // Last: until here a crash leaves a place that is known for what it is.
            try BlockingDisk.remove("\(directory)/\(ScratchMarker.fileName)")
            if !marker.wasThere { try BlockingDisk.removeEmptyDirectory(directory) }
        }
    }

    /// Where a scratch place is put: as the request says, as the cluster's options say, else beside the source's data,
    /// where the owner can go and where there is room for data of that size.
    func scratchDirectory(of request: ScratchRequest, beside source: HostInstance) throws -> String {
        guard !request.name.isEmpty, request.name.utf8.count <= 63,
            request.name.utf8.allSatisfy({ byte in
                (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
            })
        else {
            throw FleetError(.usage, "\(request.name) cannot be the name of a scratch instance")
        }
        let place =
            request.place ?? options.string("scratchDirectory").map { "\($0)/\(request.name)" }
            ?? "\(source.dataDirectory).fleet-scratch-\(request.name)"
        guard place.hasPrefix("/"), !place.split(separator: "/").contains("..") else {
            throw FleetError(
                .usage, "the place \(place) is not an absolute path",
                hint: "write a directory with a slash, such as ./\(request.name) or /srv/\(request.name)")
        }
        return place.count > 1 && place.hasSuffix("/") ? String(place.dropLast()) : place
    }

    /// The marker of the place, made with the place when there is none.
    private static func prepare(
        _ directory: String, _ request: ScratchRequest, _ source: HostInstance
    ) throws -> ScratchMarker {
        if let marker = try ScratchMarker.read(in: directory) {
            try check(marker, directory, request)
            return marker
        }
        let isThere = try BlockingDisk.status(directory, followingLinks: true) != nil
        if isThere, try !BlockingDisk.list(directory, followingLinks: true).isEmpty {
            throw FleetError(
                .refused, "\(directory) is not empty: nothing is restored over it", hint: "name an empty or new folder")
        }
        // Everybody may pass: what is in it has modes of its own.
        try BlockingDisk.makeDirectories(directory, mode: 0o755)
        let marker = ScratchMarker(
            name: request.name, source: request.source.name, owner: source.owner.name, port: try FreePort.find(),
            socketDirectory: try makeSocketDirectory(directory, request, source), wasThere: isThere)
        try marker.write(in: directory)
        return marker
    }

    private static func check(_ marker: ScratchMarker, _ directory: String, _ request: ScratchRequest) throws {
        guard marker.name == request.name, marker.source == request.source.name else {
            throw FleetError(
                .refused, "\(directory) is the place of another scratch instance",
                cause: "of \(marker.name), made for \(marker.source)")
        }
    }

    /// Nil when everything is gone.
    private static func markerToRemove(_ directory: String, _ request: ScratchRequest) throws -> ScratchMarker? {
        if let marker = try ScratchMarker.read(in: directory) {
            try check(marker, directory, request)
            return marker
        }
        guard try BlockingDisk.status(directory, followingLinks: true) != nil,
            try !BlockingDisk.list(directory, followingLinks: true).isEmpty
        else {
            // A crash after the marker went leaves the empty folder; one that the user made is the user's.
            if request.place == nil { try BlockingDisk.removeEmptyDirectory(directory) }
            return nil
        }
        throw FleetError(
            .refused, "\(directory) is not removed: fleet did not make it",
            cause: "it has no \(ScratchMarker.fileName)", hint: "remove it by hand if it is not needed")
    }

    private static func makeSocketDirectory(
        _ directory: String, _ request: ScratchRequest, _ source: HostInstance
    ) throws -> String {
        let near = "\(directory)/socket"
        // `.s.PGSQL.65535.lock` is the longest name in it; 107 bytes is the limit of a socket's path.
        if near.utf8.count + 21 <= 107 { return near }
        return "/tmp/fleet-\(String(UInt64.random(in: .min ... .max), radix: 36))"
    }

    /// Whether a marker can name it: the owner of the place may have written there.
    private static func isSocketDirectory(_ path: String, of directory: String) -> Bool {
        let prefix = "/tmp/fleet-"
        return path == "\(directory)/socket"
            || path.hasPrefix(prefix)
                && path.dropFirst(prefix.count).allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
    }

    /// Data, socket and tablespace folders, the owner's; returns where each tablespace of the backup goes.
    private static func makeFolders(
        _ directory: String, _ request: ScratchRequest, _ marker: ScratchMarker, _ source: HostInstance
    ) throws -> [String: String] {
        let owner = geteuid() == 0 ? source.fileOwner : nil
        let data = "\(directory)/data"
        try BlockingDisk.makeDirectories(data, mode: 0o700, owner: owner)
        try BlockingDisk.makeDirectories(marker.socketDirectory, mode: 0o755, owner: owner)
        var places: [String: String] = [:]
        for tablespace in request.tablespaces {
            let place = "\(directory)/tablespaces/\(tablespace.oid)"
            try BlockingDisk.makeDirectories("\(directory)/tablespaces", mode: 0o755)
            try BlockingDisk.makeDirectories(place, mode: 0o700, owner: owner)
            places[tablespace.path] = place
        }
        return places
    }

    /// How the scratch server is started: as the source, but where it touches nothing of the source's.
    private func platformOptions(
        _ request: ScratchRequest, _ directory: String, _ marker: ScratchMarker, _ source: HostInstance
    ) async throws -> PluginOptions {
        var values: [String: JSONValue] = [
            "dataDirectory": .string("\(directory)/data"), "owner": .string(source.owner.name),
            "port": .integer(Int64(marker.port)), "socketDirectory": .string(marker.socketDirectory),
            "settings": .object([
                // Nobody but this machine, no archive but the source's own, no standbys to wait for, no files elsewhere.
                "listen_addresses": "localhost", "archive_mode": "off", "synchronous_standby_names": "",
                "external_pid_file": "", "log_directory": "log",
            ]),
        ]
        let sameVersion = source.majorVersion == request.majorVersion ? source.options.string("binDirectory") : nil
        if let binaries = sameVersion {
            values["binDirectory"] = .string(binaries)
        } else if let binaries = try await Installation.find(major: request.majorVersion) {
            values["binDirectory"] = .string(binaries)
        } else {
            throw FleetError(
                .notFound, "PostgreSQL \(request.majorVersion), which the backup needs, is not installed here",
                hint: "install it beside the other versions")
        }
        // Where the source's configuration lies outside its data directory, the backup has none.
        if let file = try await disk.run({ try ServerConfiguration.find(for: source) }) {
            values["configFile"] = .string(file)
        }
        return PluginOptions(values)
    }

    private func connection(_ request: ScratchRequest, _ marker: ScratchMarker) -> ConnectionOptions {
        var connection = request.source.connection
        connection.host = marker.socketDirectory
        connection.port = marker.port
        connection.sslMode = nil
        connection.sslRootCertificate = nil
        return connection
    }

    /// The owner must be able to get there through every parent directory.
    private func requireAccess(to directory: String, by owner: UserAccount) async throws {
        guard try await can(owner, "-x", directory) else {
            throw FleetError(
                .denied, "\(owner.name), who runs the server, cannot enter \(directory)",
                cause: "a parent directory keeps others out",
                hint: "set `scratchDirectory` of the cluster, or --into, to a folder that \(owner.name) can enter")
        }
    }
}
