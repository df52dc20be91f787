// SPDX-License-Identifier: Apache-2.0

public import Kubernetes
public import TelemetryModel

/// Why the agent cannot work, or could not send a report.
public enum AgentError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The endpoint is no URL that reports can be sent to.
    case invalidEndpoint
    /// The interval is shorter than a second.
    case invalidInterval
    /// The place where the owner's answer stands could not be read, with the reason in words.
    case unreadablePlace(ConsentPlace, reason: String)
    /// The cluster could not be asked.
    case cluster(KubernetesError)
    /// The cluster has no identity that may be used as one.
    case noClusterID
    /// The Secret with the cluster's key, `NAMESPACE/NAME`, holds none.
    case damagedKey(secret: String)
    /// The cluster's key was there and cannot be had any more, with the reason in words.
    case keyWithdrawn(reason: String)
    /// Nothing may be carried out of a cluster whose owner did not say yes.
    case refusedBundle(Consent)
    /// Reports that are not signed cannot be carried.
    case unsignedBundle
    /// What was counted does not make a report.
    case report(ReportError)
    /// The endpoint could not be reached, with the reason in words.
    case undeliverable(reason: String)
    /// The endpoint answered with another status than 200.
    case refused(status: Int)

    /// Whether a server did not do what it was asked, and not the cluster's state or the command line is to blame.
    public var isOfServer: Bool {
        switch self {
        case .cluster, .undeliverable, .refused, .unreadablePlace: true
        case .refusedBundle(.unknown): true
        case .invalidEndpoint, .invalidInterval, .noClusterID, .damagedKey, .keyWithdrawn, .refusedBundle,
            .unsignedBundle, .report:
            false
        }
    }

    /// What is wrong and what to do about it.
    public var description: String {
        switch self {
        case .invalidEndpoint:
            "the telemetry endpoint must be an http or https URL without a user and a fragment"
        case .invalidInterval:
            "the telemetry interval must be a second or more, for example 15m"
        case .unreadablePlace(let place, let reason):
            "\(place) could not be read: \(reason); nothing was changed"
        case .cluster(let error):
            error.description
        case .noClusterID:
            "the UID of the namespace kube-system is missing or malformed"
        case .damagedKey(let secret):
            "the Secret \(secret) holds no key: its field \(KeyStore.field) must have \(ClusterKey.seedLength) bytes; "
                + "restore it, or make a new key with `cozy-telemetry identity reset`"
        case .keyWithdrawn(let reason):
            "the cluster's key cannot be had any more, and nothing is sent under another id: \(reason); "
                + "grant it, or start the agent anew with --identity uid"
        case .refusedBundle(.no(let place, let reason)):
            "nothing may be carried out of the cluster: \(place): \(reason)"
        case .refusedBundle(.unknown(let place, let reason)):
            "nothing may be carried out of the cluster: whether \(place) says no could not be read: \(reason)"
        case .refusedBundle(.yes):
            "nothing may be carried out of the cluster"
        case .unsignedBundle:
            "only signed reports can be carried, and the cluster has no key; may the agent make its Secret?"
        case .report(let error):
            "the cluster's state does not make a report: \(error)"
        case .undeliverable(let reason):
            "the telemetry endpoint cannot be reached: \(reason)"
        case .refused(let status):
            "the telemetry endpoint answered \(status) instead of 200"
        }
    }
}
