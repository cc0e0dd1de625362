public import FleetPluginAPI
public import KubernetesWorkloads

/// Applications that are a Deployment.
public enum DeploymentScaler {
    public static let descriptor = PluginDescriptor(
        role: .scaler, name: "deployment", version: "1.0.0",
        summary: "Applications that are a Kubernetes Deployment, with what scales or applies it.",
        options: WorkloadOptions.specs("Deployment"))

    /// - Throws: `configuration` for options that are missing or cannot be understood.
    public static func make(_ context: PluginContext, _ options: PluginOptions) throws -> KubernetesWorkload {
        try KubernetesWorkload(.deployment, context: context, options: options)
    }
}
