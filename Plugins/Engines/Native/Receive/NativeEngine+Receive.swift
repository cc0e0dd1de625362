public import FleetPluginAPI

extension NativeEngine {
    public func walSlot(_ context: EngineContext) -> String? {
        guard case .stream(let slot, _) = transport else { return nil }
        if let slot { return slot }
        let name = context.instance.name.lowercased().utf8.map { Self.isSlotLetter($0) ? $0 : UInt8(ascii: "_") }
        return String(("fleet_" + String(decoding: name, as: UTF8.self)).prefix(63))
    }

    public func receiveWAL(
        _ context: EngineContext, endpoint: @escaping @Sendable () async throws -> Endpoint,
        log: @escaping @Sendable (String) -> Void
    ) async throws {
        guard case .stream(_, let switchAfter) = transport, let slot = walSlot(context) else {
            throw FleetError(
                .unsupported, "WAL of \(context.instance.name) is archived by its own server",
                hint: "set `wal: stream` of its engine")
        }
        await WALReceiver(
            repositories: context.repositories, instance: context.instance.name, slot: slot, switchAfter: switchAfter,
            resolve: resolve, endpoint: endpoint, log: log
        ).run()
    }
}
