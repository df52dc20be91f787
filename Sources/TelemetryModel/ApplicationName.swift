// SPDX-License-Identifier: Apache-2.0

/// The closed vocabulary of applications that is public: one canonical name for all the names that an application had.
public enum ApplicationName {
    /// The canonical name of a kind as it was sent, or nil where the vocabulary has none.
    ///
    /// Names are compared in lower case without `-` and `_`.
    public static func canonical(of kind: String) -> String? {
        canonicalNames[kind.lowercased().filter { $0 != "-" && $0 != "_" }]
    }

    /// The name that a kind of the vocabulary is published under where kinds keep the name that they were sent under.
    ///
    /// A spelling that nobody uses would be a text of the sender's choosing, so it is published under the canonical
    /// name; nil where the vocabulary does not have the kind.
    public static func published(_ kind: String) -> String? {
        guard let canonical = canonical(of: kind) else { return nil }
        return kind == canonical || canonicalNames[kind] != nil || dashedNames.contains(kind) ? kind : canonical
    }

    /// How v0 spells the names that have several words.
    private static let dashedNames: Set = [
        "http-cache", "tcp-balancer", "virtual-machine", "virtual-private-cloud", "vm-disk", "vm-instance",
    ]

    /// Canonical names by the lower-case name of theirs and of their aliases.
    private static let canonicalNames: [String: String] = {
        var names: [String: String] = [
            "postgresql": "Postgres", "paxpostgres": "Postgres", "paxredis": "Redis", "paxclickhouse": "ClickHouse",
            "paxvminstance": "VMInstance", "vpc": "VirtualPrivateCloud",
        ]
        for name in vocabulary { names[name.lowercased()] = name }
        return names
    }()

    /// Every canonical name.
    public static let vocabulary = [
        "Bucket", "ClearML", "ClickHouse", "Etcd", "FoundationDB", "HTTPCache", "Harbor", "Info", "Ingress", "Kafka",
        "Kubernetes", "MariaDB", "MongoDB", "Monitoring", "NATS", "NFS", "OpenBAO", "OpenSearch", "Postgres", "Qdrant",
        "RabbitMQ", "Redis", "SeaweedFS", "TCPBalancer", "Tenant", "VMDisk", "VMInstance", "VPN", "VirtualMachine",
        "VirtualPrivateCloud",
    ]
}
