import CLibCurl
import FleetPluginAPI

/// The tunnels of one loop; used on its thread alone.
@safe final class TunnelTable {
    private var handles: [ObjectIdentifier: TunnelHandle] = [:]
    /// Those that the last `descriptors` were made of, in their order.
    private var polled: [TunnelHandle] = []

    var isEmpty: Bool { handles.isEmpty }

    func open(_ tunnel: Tunnel) {
        do {
            handles[ObjectIdentifier(tunnel)] = try TunnelHandle(tunnel)
        } catch {
            tunnel.end(.failure(error))
        }
    }

    func close(_ tunnel: Tunnel) {
        handles[ObjectIdentifier(tunnel)] = nil
        tunnel.end(.failure(CancellationError()))
    }

    func closeAll() {
        for handle in handles.values { handle.tunnel.end(.failure(CancellationError())) }
        handles = [:]
    }

    func perform() {
        for (id, handle) in handles {
            guard let end = handle.perform() else { continue }
            handles[id] = nil
            handle.tunnel.end(end)
        }
    }

    /// What to wait for beside libcurl's own sockets.
    func descriptors() -> [curl_waitfd] {
        polled = []
        var descriptors: [curl_waitfd] = []
        for handle in handles.values {
            guard let descriptor = handle.descriptor else { continue }
            polled.append(handle)
            descriptors.append(descriptor)
        }
        return descriptors
    }

    func note(_ descriptors: [curl_waitfd]) {
        for (descriptor, handle) in zip(descriptors, polled) where descriptor.revents != 0 { handle.mayRead = true }
        polled = []
    }

    /// Milliseconds to wait at most. While a tunnel connects its sockets are libcurl's own and are looked after by
    /// the clock.
    var longestWait: Int32 {
        var wait: Int32 = 60_000
        for handle in handles.values {
            if handle.hasMore { return 0 }
            if !handle.isConnected { wait = 5 }
        }
        return wait
    }
}
