import DurableFiles
import FleetPluginAPI
import FoundationEssentials
import Glibc
import YAML

/// Which files make up the kubeconfig, and reading one.
enum KubeconfigFile {
    private static let limit: Int64 = 16 << 20

    /// - Parameter mustExist: whether a missing file is an error; in `$KUBECONFIG` it is passed over, as kubectl does.
    static func read(_ path: String, mustExist: Bool) async throws -> KubeconfigNode? {
        let path = absolute(path)
        let bytes: [UInt8]?
        do {
            bytes = try await Disk().readIfPresent(path, limit: limit)
        } catch let error as FleetError {
            throw error.during("the kubeconfig")
        }
        guard let bytes else {
            guard mustExist else { return nil }
            throw FleetError(
                .configuration, "there is no kubeconfig at \(path)", hint: "check the path, or set KUBECONFIG")
        }
        do {
            let root = try YAMLDocument.parse(bytes)
            let node = KubeconfigNode(node: root, file: path, field: "")
            guard root.mapping != nil || root.isNull else { throw node.error("a kubeconfig must be a mapping") }
            return node
        } catch let error as YAMLError {
            throw FleetError(.configuration, "\(path):\(error.mark): \(error.message)", hint: error.hint)
        }
    }

    /// `$KUBECONFIG`, or `~/.kube/config`.
    static func standardPaths(_ environment: [String: String]) throws -> [String] {
        let listed = (environment["KUBECONFIG"] ?? "").split(separator: ":").map(String.init)
        if !listed.isEmpty { return listed }
        guard let home = environment["HOME"], !home.isEmpty else {
            throw FleetError(
                .configuration, "there is no kubeconfig: neither KUBECONFIG nor HOME is set",
                hint: "set KUBECONFIG to the file's path")
        }
        return ["\(home)/.kube/config"]
    }

    static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        return FileManager.default.currentDirectoryPath + "/" + path
    }

    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return "/" }
        return String(path[..<slash])
    }
}
