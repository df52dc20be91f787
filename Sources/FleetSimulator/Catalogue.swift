// SPDX-License-Identifier: Apache-2.0

/// What simulated clusters are made of.
///
/// Later entries of a list are later versions.
enum Catalogue {
    static let cozystack = [
        "v0.22.0", "v0.28.1", "v0.31.0", "v0.34.2", "v0.38.0", "v0.41.1", "v1.0.0", "v1.0.2", "v1.1.0",
    ]

    /// The position of the first version whose clusters report as v1.
    static let firstV1 = 6

    static let kubernetes = ["v1.29.8", "v1.30.4", "v1.31.4", "v1.32.3", "v1.33.1", "v1.34.0"]

    static let bundles = ["paas-full", "paas-hosted", "distro-full", "distro-hosted"]

    /// Operating systems with their kernels, as the labels of `cozy_nodes_count`.
    static let systems = [
        ["linux (Talos (v1.8.4))", "6.6.64-talos"],
        ["linux (Talos (v1.9.5))", "6.12.18-talos"],
        ["linux (Talos (v1.10.3))", "6.12.31-talos"],
        ["linux (Talos (v1.11.1))", "6.12.45-talos"],
    ]

    /// Kinds in the form of v1; `InHouseApp` is in no public vocabulary.
    static let applications = [
        "Postgres", "Redis", "Kubernetes", "VMInstance", "VMDisk", "Bucket", "Kafka", "NATS", "MariaDB", "InHouseApp",
    ]

    /// Packages with their variants, as the labels of `cozy_package_info`.
    static let packages = [
        ["cozystack.core", "default"], ["cozystack.storage", "linstor"], ["cozystack.monitoring", "default"],
        ["cozystack.networking", "cilium"], ["cozystack.backup", "default"],
    ]
}
