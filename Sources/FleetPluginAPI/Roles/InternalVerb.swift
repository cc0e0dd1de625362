/// A hidden subcommand of `fleet agent` by which a plugin runs its own code in a process apart from the coordinator:
/// `fleet agent NAME ARGUMENTS…`. It gets no fleet.yaml: everything it needs is in its arguments and on its stdin.
public struct InternalVerb: Sendable {
    public var name: String
    /// Does the work with the arguments after the name; returns the exit status of the process.
    public var run: @Sendable ([String]) async -> Int32

    public init(name: String, run: @escaping @Sendable ([String]) async -> Int32) {
        self.name = name
        self.run = run
    }
}
