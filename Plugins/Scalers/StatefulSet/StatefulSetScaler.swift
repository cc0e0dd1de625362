public import FleetPluginAPI
public import KubernetesWorkloads

/// Applications that are a StatefulSet.
public enum StatefulSetScaler {
    public static let descriptor = PluginDescriptor(
        role: .scaler, name: "statefulset", version: "1.0.0",
        summary: "Applications that are a Kubernetes StatefulSet, with what scales or applies it.",
        options: WorkloadOptions.specs("StatefulSet"))

    /// - Throws: `configuration` for options that are missing or cannot be understood.
    public static func make(_ context: PluginContext, _ options: PluginOptions) throws -> KubernetesWorkload {
        try KubernetesWorkload(.statefulSet, context: context, options: options)
    }
}
