/// Looks whether an engine is at work for an instance that nobody has declared.
///
/// Asks beside its data and changes nothing. Nil when it is not, or when that cannot be told: a place where the engine's
/// program is missing is no error.
public typealias EngineFinder = @Sendable (DiscoveredInstance, EngineContext.Ask) async -> EngineFinding?

/// An engine that is at work for an instance already.
public struct EngineFinding: Hashable, Sendable, Codable {
    /// The `engine:` block to declare the instance with, `plugin` included.
    public var engine: PluginOptions
    /// What there is, in sentences.
    public var remarks: [String]

    public init(engine: PluginOptions, remarks: [String] = []) {
        self.engine = engine
        self.remarks = remarks
    }
}
