public import FleetPluginAPI

/// How a workload is taken down and brought back, beside which one it is.
public struct WorkloadOptions: Hashable, Sendable {
    /// CronJobs that belong to the application, in the workload's namespace: names, or label selectors such as
    /// `app=backend`.
    public var cronJobs: [String]
    /// How long it may take to become ready; nil: as long as the caller waits.
    public var readyTimeout: Duration?
    /// Where Argo CD keeps its Applications.
    public var argoNamespace: String
    /// Whether Argo CD and Flux are to be paused. When not, somebody else has seen to it.
    public var pausesGitOps: Bool

    public init(
        cronJobs: [String] = [], readyTimeout: Duration? = nil, argoNamespace: String = "argocd",
        pausesGitOps: Bool = true
    ) {
        self.cronJobs = cronJobs
        self.readyTimeout = readyTimeout
        self.argoNamespace = argoNamespace
        self.pausesGitOps = pausesGitOps
    }

    public init(_ options: PluginOptions) {
        self.init(
            cronJobs: options.strings("cronJobs") ?? [], readyTimeout: options.duration("readyTimeout"),
            argoNamespace: options.string("argoNamespace") ?? "argocd",
            pausesGitOps: options.string("gitOps") != "ignore")
    }
}

extension WorkloadOptions {
    /// The options that scalers of workloads have in common.
    ///
    /// - Parameter workload: `Deployment`, as help texts name it.
    public static func specs(_ workload: String) -> [OptionSpec] {
        [
            OptionSpec(
                "kubeconfig", .path,
                help: "The kubeconfig file; that of the application's cluster without it."),
            OptionSpec(
                "context", .string,
                help: "The kubeconfig's context; that of the application's cluster without it."),
            OptionSpec("namespace", .string, required: true, help: "The \(workload)'s namespace."),
            OptionSpec("name", .string, required: true, help: "The \(workload)'s name."),
            OptionSpec(
                "cronJobs", .stringList,
                help: "CronJobs of the application in the same namespace, by name or by label selector (app=backend): "
                    + "suspended while it is down, and their running Jobs waited for."),
            OptionSpec(
                "readyTimeout", .duration,
                help: "How long its copies may take to become ready; as long as the run waits without it."),
            OptionSpec(
                "gitOps", .choice(["pause", "ignore"]), default: "pause",
                help:
                    "Whether an Argo CD Application or a Flux object that manages it is paused meanwhile. With ignore "
                    + "you have seen to it that they leave the number of copies alone."),
            OptionSpec(
                "argoNamespace", .string, default: "argocd", help: "The namespace that holds Argo CD's Applications."),
        ]
    }
}
