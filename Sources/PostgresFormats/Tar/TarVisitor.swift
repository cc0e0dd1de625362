/// What a `TarReader` reports to, in the order of the archive: for each entry `begin`, `data` as often as pieces come
/// (never for an empty entry), `end`.
public protocol TarVisitor: ~Copyable {
    mutating func begin(_ entry: TarEntry) throws
    /// The bytes are valid only during the call.
    mutating func data(_ bytes: RawSpan) throws
    mutating func end() throws
}
