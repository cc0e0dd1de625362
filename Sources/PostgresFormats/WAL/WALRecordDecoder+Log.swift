import FleetPluginAPI

// PostgreSQL source: src/include/access/xlog_internal.h, src/include/catalog/pg_control.h.
extension WALRecordDecoder {
    func log(_ header: WALRecordHeader, _ data: UnsafeRawBufferPointer) -> WALEvent.Kind? {
        var reader = ByteReader(data)
        switch header.info & 0xF0 {
        case 0x00, 0x10: return checkpoint(&reader, isShutdown: header.info & 0xF0 == 0x00)
        case 0x40: return .segmentSwitch
        case 0x60: return parameters(&reader)
        case 0x70: return restorePoint(&reader)
        case 0x90: return endOfRecovery(&reader)
        default: return nil
        }
    }

    private func checkpoint(_ reader: inout ByteReader, isShutdown: Bool) -> WALEvent.Kind? {
        guard let redo = reader.read(UInt64.self), let timeline = reader.read(UInt32.self),
            let previous = reader.read(UInt32.self)
        else { return nil }
        return .checkpoint(redo: LSN(redo), timeline: timeline, previousTimeline: previous, isShutdown: isShutdown)
    }

    private func parameters(_ reader: inout ByteReader) -> WALEvent.Kind? {
        guard let connections = reader.read(Int32.self), let workers = reader.read(Int32.self),
            let senders = reader.read(Int32.self), let prepared = reader.read(Int32.self),
            let locks = reader.read(Int32.self)
        else { return nil }
        return .parameters(
            RecoveryParameters(
                maxConnections: Int(connections), maxWorkerProcesses: Int(workers), maxWALSenders: Int(senders),
                maxPreparedTransactions: Int(prepared), maxLocksPerTransaction: Int(locks)))
    }

    private func restorePoint(_ reader: inout ByteReader) -> WALEvent.Kind? {
        guard let time = reader.read(Int64.self).flatMap(Timestamp.init(checkedPostgres:)), reader.remaining == 64
        else { return nil }
        return .restorePoint(name: reader.zeroTerminated(limit: 64), time: time)
    }

    private func endOfRecovery(_ reader: inout ByteReader) -> WALEvent.Kind? {
        guard let time = reader.read(Int64.self).flatMap(Timestamp.init(checkedPostgres:)),
            let timeline = reader.read(UInt32.self), let previous = reader.read(UInt32.self)
        else { return nil }
        return .endOfRecovery(timeline: timeline, previousTimeline: previous, time: time)
    }
}
