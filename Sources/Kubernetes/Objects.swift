// SPDX-License-Identifier: Apache-2.0

/// What is read of every object.
public struct ObjectMeta: Hashable, Sendable {
    /// The name.
    public let name: String
    /// The namespace; nil for objects that belong to none.
    public let namespace: String?
    /// The identity that the server gave; empty where it was not sent.
    public let uid: String
    /// The version to watch from; empty where it was not sent.
    public let resourceVersion: String
    /// The labels.
    public let labels: [String: String]
}

/// An object as the API server keeps it.
///
/// Fields that are missing never fail a list.
public protocol KubernetesObject: Decodable, Sendable {
    /// The metadata.
    var metadata: ObjectMeta { get }
}

/// Any object, of which only the metadata is read.
public struct ObjectMetadata: KubernetesObject, Hashable {
    /// The metadata.
    public let metadata: ObjectMeta
}

/// A machine.
public struct Node: KubernetesObject, Hashable {
    /// The metadata.
    public let metadata: ObjectMeta
    /// `status.nodeInfo.operatingSystem`, `linux`.
    public let operatingSystem: String
    /// `status.nodeInfo.osImage`, `Talos (v1.8.4)`.
    public let osImage: String
    /// `status.nodeInfo.kernelVersion`.
    public let kernelVersion: String
    /// `status.capacity`, quantities by resource.
    public let capacity: [String: String]
}

/// A service.
public struct Service: KubernetesObject, Hashable {
    /// The metadata.
    public let metadata: ObjectMeta
    /// `spec.type`; `ClusterIP` where it is missing.
    public let type: String
}

/// A volume.
public struct PersistentVolume: KubernetesObject, Hashable {
    /// What stands behind a volume.
    public enum Source: Hashable, Sendable {
        /// A CSI driver, by name.
        case csi(driver: String)
        case hostPath
        case nfs
        /// Anything else.
        case other
    }

    /// The metadata.
    public let metadata: ObjectMeta
    /// What stands behind it.
    public let source: Source
    /// `spec.capacity.storage`, a quantity; nil where it is missing.
    public let storage: String?
}

/// A configuration map.
public struct ConfigMap: KubernetesObject, Hashable {
    /// The metadata.
    public let metadata: ObjectMeta
    /// The text values.
    public let data: [String: String]
}

/// A deployment.
public struct Deployment: KubernetesObject, Hashable {
    /// What a container runs.
    public struct Container: Hashable, Sendable {
        /// The name.
        public let name: String
        /// The entry point, where it is not the image's.
        public let command: [String]
        /// The arguments.
        public let args: [String]
    }

    /// The metadata.
    public let metadata: ObjectMeta
    /// The containers of its pods.
    public let containers: [Container]
}

/// A part of an application that Cozystack watches.
public struct WorkloadMonitor: KubernetesObject, Hashable {
    /// The metadata.
    public let metadata: ObjectMeta
    /// `spec.kind`, `postgres`.
    public let kind: String
    /// `spec.type`.
    public let type: String
    /// `spec.version`.
    public let version: String
    /// `status.observedReplicas`.
    public let observedReplicas: Int64
}

/// A package that Cozystack installs.
public struct Package: KubernetesObject, Hashable {
    /// The metadata.
    public let metadata: ObjectMeta
    /// `spec.variant`; nil where it is missing or empty.
    public let variant: String?
    /// `spec.components`, by name of the component, without a schema.
    public let components: JSONValue?
}

/// A kind of application.
public struct ApplicationDefinition: KubernetesObject, Hashable {
    /// The metadata.
    public let metadata: ObjectMeta
    /// `spec.application.kind`; nil where it is missing or empty.
    public let kind: String?
}

/// A release that Flux installs.
public struct HelmRelease: KubernetesObject, Hashable {
    /// The metadata.
    public let metadata: ObjectMeta
}
