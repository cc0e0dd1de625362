/// A transaction that was prepared and waits for its manager's word (`pg_prepared_xacts`).
public struct PreparedTransaction: Hashable, Sendable, Codable {
    /// The name that its manager gave it.
    public var identifier: String
    public var database: String
    public var owner: String
    public var preparedAt: Timestamp

    public init(identifier: String, database: String, owner: String, preparedAt: Timestamp) {
        self.identifier = identifier
        self.database = database
        self.owner = owner
        self.preparedAt = preparedAt
    }
}
