// SPDX-License-Identifier: Apache-2.0

public import Kubernetes
import TelemetryModel

/// What can be known of a cluster's agent without asking it: from the places of consent and from its ConfigMap.
public struct AgentStatus: Sendable {
    /// Whether anything may be sent.
    public let consent: Consent
    /// The agent's namespace.
    public let namespace: String
    /// Whether the agent's ConfigMap is there, that is, whether an agent ever ran in that namespace.
    public let hasRun: Bool
    /// The id that the last report was sent under; nil where there was none.
    public let clusterID: String?
    /// How the agent says who the cluster is, in words; nil where it did not say so yet.
    public let identity: String?
    /// When notice was given, as RFC 3339 writes it.
    public let noticeAt: String?
    /// The earliest time of the next report, as RFC 3339 writes it; nil where none is planned.
    public let nextReportAt: String?
    /// The last deliveries, the newest first.
    public let deliveries: [DeliveryRecord]

    /// Reads the status; nothing is written and nobody outside the cluster is asked.
    ///
    /// - Parameters:
    ///   - client: Reads from the cluster.
    ///   - namespace: The agent's namespace.
    /// - Returns: The status; what cannot be read is in it as a no.
    /// - Throws: `CancellationError` where the task was cancelled.
    public static func read(client: KubernetesClient, namespace: String) async throws -> AgentStatus {
        let objects = await ClusterReader(client: client).platformObjects(statusIn: namespace)
        try Task.checkCancellation()
        return AgentStatus(objects, namespace: namespace)
    }

    init(_ objects: PlatformObjects, namespace: String) {
        let data = objects.statusConfigMap.object?.data ?? [:]
        let record = StatusRecord(data: data)
        var consent = Consent(ConsentFacts(objects: objects), remembering: Refusals(data))
        // What the agent was started with, and what it may not read, can only be known from itself.
        if consent == .yes {
            switch record.consent {
            case .no(let place, let reason) where !place.isObject: consent = .no(place: place, reason: reason)
            case .unknown(let place, let reason):
                consent = .unknown(place: place, reason: "the agent got: \(reason)")
            default: break
            }
        }
        self.consent = consent
        self.namespace = namespace
        hasRun = objects.statusConfigMap.object != nil
        clusterID = data[StatusRecord.Key.clusterID]
        identity = data[StatusRecord.Key.identity]
        noticeAt = data[StatusRecord.Key.noticeAt]
        nextReportAt = consent == .yes ? data[StatusRecord.Key.nextReportAt] : nil
        deliveries = record.deliveries
    }
}
