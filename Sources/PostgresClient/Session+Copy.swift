internal import CLibPQ
import FleetPluginAPI

extension Session {
    /// The next CopyData message, lent to `body`; nil at the end of the copy, after which comes a result.
    func nextCopyMessage<Value>(
        until deadline: Deadline, _ activity: String, _ body: (UnsafeRawBufferPointer) throws -> Value
    ) async throws -> Value? {
        var hasRead = false
        while true {
            let handle = try open()
            var start: UnsafeMutablePointer<CChar>?
            let count = unsafe PQgetCopyData(handle.pointer, &start, 1)
            if let start = unsafe start {
                defer { unsafe PQfreemem(start) }
                return try unsafe body(UnsafeRawBufferPointer(start: start, count: Int(count)))
            }
            if count == -1 { return nil }
            guard count == 0 else { throw lost(handle, activity) }
            try check(deadline, activity)
            if hasRead {
                try await wait(writing: unsafe PQflush(handle.pointer) == 1, until: deadline, activity)
            }
            guard unsafe PQconsumeInput(handle.pointer) == 1 else { throw lost(handle, activity) }
            hasRead = true
        }
    }

    /// Queues a CopyData message and sends as much as the socket takes now; the rest goes out with the next wait.
    func putCopyMessage(_ message: [UInt8], _ activity: String) throws {
        let handle = try open()
        let sent = unsafe message.withUnsafeBytes { bytes in
            unsafe PQputCopyData(
                handle.pointer, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
        }
        guard sent == 1, unsafe PQflush(handle.pointer) >= 0 else { throw lost(handle, activity) }
    }

    /// Ends our side of a copy.
    func endCopy(until deadline: Deadline, _ activity: String) async throws {
        let handle = try open()
        guard unsafe PQputCopyEnd(handle.pointer, nil) == 1 else { throw lost(handle, activity) }
        try await flush(until: deadline, activity)
    }

    /// Sends a command of the replication protocol; its results are read by the caller.
    func sendCommand(_ command: String, until deadline: Deadline, _ activity: String) async throws {
        guard !command.utf8.contains(0) else {
            throw FleetError(.usage, activity, cause: "the command contains a zero byte")
        }
        let handle = try open()
        guard unsafe PQsendQuery(handle.pointer, command) == 1 else { throw lost(handle, activity) }
        try await flush(until: deadline, activity)
    }
}
