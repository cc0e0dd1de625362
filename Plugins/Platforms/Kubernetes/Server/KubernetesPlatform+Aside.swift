public import FleetPluginAPI

/// The data directory moves aside by a rename within its volume.
extension KubernetesPlatform {
    public func setAside(_ instance: Instance, tag: String) async throws {
        let found = try await prepareAside(instance, tag)
        try await refuseRunning(found, "set aside")
        try await onVolume(.setAside, tag, key: key("aside", tag), of: found, purpose: "set \(found.name) aside")
    }

    public func putBack(_ instance: Instance, tag: String) async throws {
        let found = try await prepareAside(instance, tag)
        try await refuseRunning(found, "replaced by what was set aside")
        try await onVolume(
            .putBack, tag, key: key("back", tag), of: found, purpose: "put what was set aside of \(found.name) back")
    }

    public func discardAside(_ instance: Instance, tag: String) async throws {
        let found = try await prepareAside(instance, tag)
        // A rename's remains are not the server's: it may run meanwhile, on the node where the volume is then.
        try await onVolume(
            .discardAside, tag, key: key("discard", tag), of: found,
            purpose: "remove what was set aside of \(found.name)", node: try await currentPod(of: found)?.node)
    }

    private func key(_ verb: String, _ tag: String) -> String { "fleet-\(verb)-\(ObjectNames.digest(tag))" }

    private func prepareAside(_ instance: Instance, _ tag: String) async throws -> KubernetesInstance {
        guard AsideTag.isPlain(tag) else {
            throw FleetError(.usage, "\(tag) cannot be a tag", hint: "letters, digits and hyphens, at most 100")
        }
        let found = try await resolve(instance)
        guard !found.data.pathInVolume.isEmpty else {
            throw FleetError(
                .refused, "the data of \(found.name) cannot be set aside: it fills its whole volume",
                cause: "\(found.dataDirectory) is the root of the claim \(found.data.claim), which cannot be renamed",
                hint: "keep the data in a folder of the volume (PGDATA or subPath)")
        }
        return found
    }

    private func refuseRunning(_ instance: KubernetesInstance, _ what: String) async throws {
        let pods = try await pods(of: instance).filter { !$0.hasEnded }
        guard pods.isEmpty, instance.replicas == 0 else {
            throw FleetError(
                .refused, "the data directory of \(instance.name) cannot be \(what): its server is not stopped",
                cause: pods.first.map { "the pod \($0.name) is \($0.phase)" }, hint: "stop the instance first")
        }
        try await requireAlone(instance, "move the data of \(instance.name)")
    }
}
