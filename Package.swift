// swift-tools-version: 6.2
import PackageDescription

// The rooms of the house, lowest floor first; docs/architecture.md says what each is for.
// A target imports only what stands below it, and declares every import.

/// CI makes warnings errors; nobody else's build fails because a newer compiler warns of more.
let warnings: [SwiftSetting] = Context.environment["FLEET_STRICT"] == "1" ? [.treatAllWarnings(as: .error)] : []

let strict: [SwiftSetting] =
    warnings + [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]

/// A target that touches a C library: every unsafe act is spelled out.
let strictMemory: [SwiftSetting] = strict + [.strictMemorySafety()]

func room(
    _ name: String, _ dependencies: [Target.Dependency], path: String? = nil, settings: [SwiftSetting] = strict
) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

func plugin(_ name: String, at path: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name, dependencies: ["FleetPluginAPI"] + dependencies, path: "Plugins/\(path)", swiftSettings: strict)
}

func tests(_ subject: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(subject)Tests", dependencies: [.byName(name: subject)] + dependencies, swiftSettings: strict)
}

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")

let package = Package(
    name: "fleet",
    products: [
        .executable(name: "fleet", targets: ["fleet"]),
        .library(name: "FleetPluginAPI", targets: ["FleetPluginAPI"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        // Floor 0: C libraries, one target each, and the domain.
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CLibCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CChecksum"),
        room("FleetPluginAPI", []),

        // Floor 1: leaves.
        room("YAML", ["CLibYAML"], settings: strictMemory),
        room("Compression", ["CZlib", "CZstd"], settings: strictMemory),
        room("DurableFiles", ["CLinux", "FleetPluginAPI", system]),
        room("PostgresFormats", ["CChecksum", "FleetPluginAPI", crypto]),
        room("PostgresClient", ["CLibPQ", "CLinux", "FleetPluginAPI"], settings: strictMemory),
        room("HTTPClient", ["CLibCurl", "FleetPluginAPI"], settings: strictMemory),
        room("ProcessRunner", ["CLinux", "FleetPluginAPI", subprocess, system]),
        room("TerminalUI", ["FleetPluginAPI"]),
        room("KubernetesClient", ["FleetPluginAPI", "DurableFiles", "HTTPClient", "ProcessRunner", "YAML"]),
        room("KubernetesWorkloads", ["FleetPluginAPI", "KubernetesClient"]),

        // Floor 2: configuration, durable state, plugins, and what is done to a PostgreSQL server over SQL.
        room("FleetConfig", ["FleetPluginAPI", "YAML", system]),
        room("FleetStore", ["FleetPluginAPI", grdb, crypto]),
        room("FleetPluginHost", ["FleetPluginAPI"]),
        room("ServerControl", ["FleetPluginAPI", "PostgresClient"]),

        // Floor 3: the coordinator.
        room(
            "FleetCoordinator",
            ["FleetPluginAPI", "FleetConfig", "FleetStore", "FleetPluginHost", "PostgresFormats", crypto]),

        // Floor 4: the command line.
        room(
            "FleetCommands",
            [
                "FleetPluginAPI", "FleetConfig", "FleetStore", "FleetPluginHost", "FleetCoordinator", "TerminalUI",
                "DurableFiles", "ProcessRunner", "YAML", argumentParser, unixSignals,
            ]),

        // Plugins that come with fleet.
        plugin(
            "NativeEngine", at: "Engines/Native",
            ["Compression", "DurableFiles", "PostgresFormats", "PostgresClient", crypto, cryptoExtras]),
        plugin(
            "PgBackRestEngine", at: "Engines/PgBackRest",
            ["Compression", "DurableFiles", "PostgresFormats", "ProcessRunner", crypto]),
        plugin("DirectoryStorage", at: "Storage/Directory", ["DurableFiles"]),
        plugin("S3Storage", at: "Storage/S3", ["DurableFiles", "HTTPClient", crypto]),
        plugin(
            "HostPlatform", at: "Platforms/Host", ["DurableFiles", "PostgresFormats", "ProcessRunner", unixSignals]),
        plugin(
            "KubernetesPlatform", at: "Platforms/Kubernetes",
            [
                "KubernetesClient", "KubernetesWorkloads", "Compression", "DurableFiles", "PostgresFormats",
                "ProcessRunner",
                "YAML", unixSignals,
            ]),
        plugin("ProcessScaler", at: "Scalers/Process", ["DurableFiles", "ProcessRunner", unixSignals]),
        plugin("DeploymentScaler", at: "Scalers/Deployment", ["KubernetesWorkloads"]),
        plugin("StatefulSetScaler", at: "Scalers/StatefulSet", ["KubernetesWorkloads"]),
        plugin("SQLProbe", at: "Probes/SQL"),
        plugin("HTTPProbe", at: "Probes/HTTP", ["HTTPClient"]),
        plugin("WebhookNotifier", at: "Notifiers/Webhook", ["HTTPClient"]),
        plugin("LogNotifier", at: "Notifiers/Log", ["DurableFiles"]),

        // Floor 5: the composition root.
        .executableTarget(
            name: "fleet",
            dependencies: [
                "FleetCommands", "FleetPluginHost", "FleetPluginAPI", "ServerControl", "NativeEngine",
                "DirectoryStorage", "S3Storage", "HostPlatform", "KubernetesPlatform", "ProcessScaler",
                "DeploymentScaler",
                "PgBackRestEngine", "StatefulSetScaler", "SQLProbe", "HTTPProbe", "WebhookNotifier", "LogNotifier",
            ],
            swiftSettings: strict),

        // Tests.
        .target(
            name: "FleetTestSupport",
            dependencies: ["FleetPluginAPI", "HTTPClient", "ProcessRunner", "PostgresClient"],
            path: "Tests/FleetTestSupport", swiftSettings: strict),
        tests("FleetTestSupport", ["fleet"]),
        tests("FleetPluginAPI"),
        tests("YAML"),
        tests("Compression"),
        tests("DurableFiles", ["FleetPluginAPI"]),
        tests("PostgresFormats", ["FleetPluginAPI", "FleetTestSupport"]),
        tests("PostgresClient", ["FleetPluginAPI", "FleetTestSupport"]),
        tests("HTTPClient", ["FleetPluginAPI", "ProcessRunner", "FleetTestSupport"]),
        tests("KubernetesClient", ["FleetPluginAPI", "FleetTestSupport", "HTTPClient"]),
        .testTarget(
            name: "KubernetesWorkloadsTests",
            dependencies: ["KubernetesWorkloads", "FleetPluginAPI", "FleetTestSupport", "KubernetesClient"],
            exclude: ["dying-proxy.py"], swiftSettings: strict),
        tests("DeploymentScaler", ["FleetPluginAPI", "FleetTestSupport", "KubernetesWorkloads"]),
        tests("StatefulSetScaler", ["FleetPluginAPI", "FleetTestSupport", "KubernetesWorkloads"]),
        tests("ProcessRunner", ["FleetPluginAPI"]),
        tests("TerminalUI", ["FleetPluginAPI"]),
        tests("FleetConfig", ["FleetPluginAPI", "YAML", "FleetTestSupport"]),
        // A process for the store's tests to kill.
        .executableTarget(
            name: "StateWriter", dependencies: ["FleetPluginAPI", "FleetStore"], path: "Tests/StateWriter",
            swiftSettings: strict),
        tests("FleetStore", ["FleetPluginAPI", "FleetTestSupport", "StateWriter", grdb]),
        tests("FleetPluginHost", ["FleetPluginAPI"]),
        tests("ServerControl", ["FleetPluginAPI", "FleetTestSupport"]),
        tests(
            "NativeEngine",
            ["FleetPluginAPI", "DirectoryStorage", "S3Storage", "PostgresFormats", "FleetTestSupport", crypto]),
        tests(
            "PgBackRestEngine",
            ["DirectoryStorage", "FleetPluginAPI", "HostPlatform", "PostgresFormats", "FleetTestSupport", "fleet"]),
        tests("HTTPProbe", ["FleetPluginAPI", "FleetTestSupport"]),
        tests("WebhookNotifier", ["FleetPluginAPI", "FleetTestSupport"]),
        tests("LogNotifier", ["DurableFiles", "FleetPluginAPI", "FleetTestSupport"]),
        tests("DirectoryStorage", ["DurableFiles", "FleetPluginAPI", "FleetTestSupport"]),
        tests("S3Storage", ["FleetPluginAPI", "FleetTestSupport", "HTTPClient", crypto]),
        // Stands in for the fleet binary where plugins run their own code in processes of their own.
        .executableTarget(
            name: "fleet-test-agent", dependencies: ["FleetPluginAPI", "HostPlatform", "ProcessScaler"],
            path: "Tests/fleet-test-agent", swiftSettings: strict),
        tests("HostPlatform", ["FleetPluginAPI", "FleetTestSupport", "ProcessRunner", "fleet-test-agent"]),
        tests("KubernetesPlatform", ["FleetPluginAPI", "FleetTestSupport", "KubernetesClient", "fleet"]),
        tests("ProcessScaler", ["FleetPluginAPI", "FleetTestSupport", "ProcessRunner", "fleet-test-agent"]),
        tests("SQLProbe", ["FleetPluginAPI"]),
        tests(
            "FleetCoordinator",
            [
                "FleetPluginAPI", "FleetConfig", "FleetStore", "FleetPluginHost", "PostgresFormats", "FleetTestSupport",
            ]),
        tests(
            "FleetCommands",
            [
                "FleetPluginAPI", "FleetConfig", "FleetStore", "FleetPluginHost", "FleetCoordinator", "TerminalUI",
                "FleetTestSupport", argumentParser,
            ]),
        // Many workloads taken down and brought back, measured: Benchmarks/run-workloads.
        .executableTarget(
            name: "WorkloadBenchmark", dependencies: ["FleetPluginAPI", "KubernetesClient", "KubernetesWorkloads"],
            path: "Benchmarks/Workloads", swiftSettings: strict),
        // The whole program against real servers, as a user runs it.
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "FleetTestSupport", "FleetPluginAPI", "FleetPluginHost", "FleetConfig", "FleetCoordinator",
                "DurableFiles", "ProcessRunner", "PostgresClient", "ServerControl", "fleet",
            ],
            swiftSettings: strict),
    ]
)

// FLEET_TESTS="YAMLTests FleetConfigTests" builds these test targets and no others: quicker while one works on one room.
if let names = Context.environment["FLEET_TESTS"]?.split(separator: " ").map(String.init) {
    package.targets.removeAll { $0.type == .test && !names.contains($0.name) }
}
