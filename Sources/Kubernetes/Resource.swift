// SPDX-License-Identifier: Apache-2.0

/// A kind of object that an API server keeps, where it is found, and the model that it is read into.
public struct Resource<Object: KubernetesObject>: Hashable, Sendable {
    /// The API group; empty for the core group.
    public let group: String
    /// The version of the group.
    public let version: String
    /// The name in paths, `persistentvolumes`.
    public let plural: String
    /// Whether its objects belong to namespaces.
    public let isNamespaced: Bool
    /// Whether only the metadata of objects is asked for.
    let isMetadataOnly: Bool

    /// A resource.
    ///
    /// - Parameters:
    ///   - group: The API group; empty for the core group.
    ///   - version: The version of the group.
    ///   - plural: The name in paths.
    ///   - isNamespaced: Whether its objects belong to namespaces.
    public init(group: String = "", version: String, plural: String, isNamespaced: Bool) {
        self.init(group, version, plural, isNamespaced, isMetadataOnly: false)
    }

    private init(_ group: String, _ version: String, _ plural: String, _ isNamespaced: Bool, isMetadataOnly: Bool) {
        self.group = group
        self.version = version
        self.plural = plural
        self.isNamespaced = isNamespaced
        self.isMetadataOnly = isMetadataOnly
    }

    /// The same resource, read without `spec` and `status` (`PartialObjectMetadata`), which is less to send and to read.
    public var metadataOnly: Resource<ObjectMetadata> {
        Resource<ObjectMetadata>(group, version, plural, isNamespaced, isMetadataOnly: true)
    }

    /// The path of the group and version, `/api/v1` or `/apis/apps/v1`.
    var groupPath: String { group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)" }

    /// The path of the objects of a namespace, or of all where it is nil.
    func path(namespace: String?) -> String {
        let namespacePart = namespace.map { "/namespaces/" + percentEncoded($0) } ?? ""
        return "\(groupPath)\(namespacePart)/\(plural)"
    }

    /// The path of one object.
    func path(namespace: String?, name: String) -> String {
        "\(path(namespace: namespace))/\(percentEncoded(name))"
    }

    /// The media types to ask for.
    func accept(list: Bool) -> String {
        guard isMetadataOnly else { return "application/json" }
        let kind = list ? "PartialObjectMetadataList" : "PartialObjectMetadata"
        return "application/json;as=\(kind);g=meta.k8s.io;v=v1,application/json"
    }
}

extension Resource where Object == Node {
    /// The machines of the cluster.
    public static var nodes: Self { Self(version: "v1", plural: "nodes", isNamespaced: false) }
}

extension Resource where Object == ObjectMetadata {
    /// Namespaces, of which nothing but the metadata is read.
    public static var namespaces: Self {
        Self("", "v1", "namespaces", false, isMetadataOnly: true)
    }
}

extension Resource where Object == Service {
    /// Services.
    public static var services: Self { Self(version: "v1", plural: "services", isNamespaced: true) }
}

extension Resource where Object == PersistentVolume {
    /// Volumes.
    public static var persistentVolumes: Self {
        Self(version: "v1", plural: "persistentvolumes", isNamespaced: false)
    }
}

extension Resource where Object == ConfigMap {
    /// Configuration maps.
    public static var configMaps: Self { Self(version: "v1", plural: "configmaps", isNamespaced: true) }
}

extension Resource where Object == Secret {
    /// Secrets.
    public static var secrets: Self { Self(version: "v1", plural: "secrets", isNamespaced: true) }
}

extension Resource where Object == Event {
    /// Events, of the core group.
    public static var events: Self { Self(version: "v1", plural: "events", isNamespaced: true) }
}

extension Resource where Object == Lease {
    /// Leases.
    public static var leases: Self {
        Self(group: "coordination.k8s.io", version: "v1", plural: "leases", isNamespaced: true)
    }
}

extension Resource where Object == Deployment {
    /// Deployments.
    public static var deployments: Self {
        Self(group: "apps", version: "v1", plural: "deployments", isNamespaced: true)
    }
}

extension Resource where Object == HelmRelease {
    /// The releases that Flux installs.
    public static var helmReleases: Self {
        Self(group: "helm.toolkit.fluxcd.io", version: "v2", plural: "helmreleases", isNamespaced: true)
    }
}

extension Resource where Object == WorkloadMonitor {
    /// The parts of applications that Cozystack watches.
    public static var workloadMonitors: Self { cozystack("workloadmonitors", isNamespaced: true) }
}

extension Resource where Object == Package {
    /// The packages that Cozystack installs, since v1.0.
    public static var packages: Self { cozystack("packages", isNamespaced: false) }
}

extension Resource where Object == ApplicationDefinition {
    /// The kinds of applications that there are, since v1.0.
    public static var applicationDefinitions: Self { cozystack("applicationdefinitions", isNamespaced: false) }
}

extension Resource {
    private static func cozystack(_ plural: String, isNamespaced: Bool) -> Self {
        Self(group: "cozystack.io", version: "v1alpha1", plural: plural, isNamespaced: isNamespaced)
    }
}

/// Text as it may stand in a path segment or a query value (RFC 3986, unreserved characters).
func percentEncoded(_ text: String) -> String {
    let hexadecimal = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            bytes.append(byte)
        default:
            bytes += [UInt8(ascii: "%"), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
