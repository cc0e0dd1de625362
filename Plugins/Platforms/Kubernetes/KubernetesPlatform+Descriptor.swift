public import FleetPluginAPI

extension KubernetesPlatform {
    public static let descriptor = PluginDescriptor(
        role: .platform, name: "kubernetes", version: "1.0.0",
        summary: "PostgreSQL servers in a Kubernetes cluster: StatefulSets, Deployments or PodTemplates of one pod.",
        options: [
            OptionSpec(
                "kubeconfig", .path,
                help: "The kubeconfig to reach the cluster with. Without it and without `context`, fleet uses the "
                    + "service account of the pod it runs in, and outside of a pod KUBECONFIG or ~/.kube/config."),
            OptionSpec("context", .string, help: "The context of the kubeconfig; its current one without it."),
            OptionSpec(
                "namespace", .string,
                help: "Where `fleet discover` looks when it may not look everywhere; the context's without it."),
            OptionSpec(
                "agentImage", .string, required: true,
                help: "The image that holds fleet in /fleet. An init container copies it from there into the pods of "
                    + "instances and tasks, whose own images stay as they are."),
            OptionSpec(
                "scratchNamespace", .string,
                help: "Where drills and clones are put; the namespace of their source without it."),
            OptionSpec(
                "connect", .choice(["auto", "pod", "forward"]), default: "auto",
                help: "How the coordinator reaches servers: at the pod's address, or through a port-forward that it "
                    + "holds itself. auto: the pod's address when fleet runs in a pod, else a port-forward."),
            OptionSpec(
                "taskResources", .any,
                help: "`resources` of the containers of backup and restore Jobs: requests and limits as Kubernetes "
                    + "has them. Without it the cluster's own defaults hold."),
            OptionSpec(
                "taskDeadline", .duration,
                help: "How long a backup or restore Job may run that has no deadline of its own; for ever without it."),
            OptionSpec(
                "taskStart", .duration, default: "10m",
                help: "How long a Job's pod may take to be scheduled and to fetch its images."),
        ],
        instanceOptions: [
            OptionSpec("namespace", .string, required: true, help: "The namespace of the workload."),
            OptionSpec(
                "workload", .string, required: true,
                help: "What runs the server, as kubectl names it: statefulset/postgres, deployment/postgres or "
                    + "podtemplate/postgres, of which fleet makes and deletes the pod itself."),
            OptionSpec(
                "container", .string,
                help: "The container that runs the server. Without it: the one that has PGDATA, or is named postgres, "
                    + "or mounts a claim."),
            OptionSpec(
                "dataDirectory", .string,
                help: "PostgreSQL's data directory in the container; its PGDATA without it."),
            OptionSpec(
                "claim", .string, help: "The claim that holds the data directory; found by its mount without it."),
            OptionSpec(
                "port", .integer(minimum: 1, maximum: 65_535),
                help: "The server's port; the container's PGPORT or declared port without it, else 5432."),
            OptionSpec(
                "service", .string,
                help: "The Service that tasks and a coordinator in the cluster reach the server by; the pod's address "
                    + "without it."),
            OptionSpec(
                "owner", .string,
                help: "The user that the server runs as, where the container begins as root; `postgres` without it."),
            OptionSpec(
                "repositoryVolumes", .stringMap,
                help: "Repositories that are directories on a claim: names of repositories to claims in the "
                    + "instance's namespace. Each is mounted at the repository's path."),
        ])
}
