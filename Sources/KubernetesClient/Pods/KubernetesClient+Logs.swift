import FleetPluginAPI

extension KubernetesClient {
    /// A container's log, line by line; nothing is read ahead of the reader.
    ///
    /// Connections that break are made again, and no line is lost or repeated as long as the node still has it. Lines
    /// of more than a mebibyte come in pieces. In a task that is cancelled the stream ends, with `CancellationError`
    /// or without.
    /// - Parameter container: nil where the pod has one.
    /// - Throws: `notFound`, `failed` (no such container, nothing previous, not started and not followed).
    public func logs(
        pod: String, namespace: String, container: String? = nil, options: LogOptions = LogOptions()
    ) -> AsyncThrowingStream<LogLine, any Error> {
        let reader = LogReader(
            self, ObjectReference(.pods, namespace: namespace, name: pod), container: container, options: options)
        return AsyncThrowingStream { try await reader.next() }
    }
}
