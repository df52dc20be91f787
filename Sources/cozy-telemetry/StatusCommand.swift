// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TelemetryAgent

/// `cozy-telemetry status`: whether a cluster reports, and what it last sent.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Say whether a cluster reports and why, under which identity, and what it sent last.",
        discussion: """
            Everything is read from the cluster, with your own rights; nobody else is asked. What the agent sent is in \
            the ConfigMap cozy-telemetry-status of its namespace.
            """
    )

    @OptionGroup var cluster: ClusterOptions

    @Flag(help: "Print the status as JSON.")
    var json = false

    func run() async throws {
        let status = try await cluster.withClient { try await AgentStatus.read(client: $0, namespace: $1) }
        if json { try Terminal.writeJSON(Document(status)) } else { Self.lines(status).forEach(Terminal.write(line:)) }
    }

    private static func lines(_ status: AgentStatus) -> [String] {
        var lines = [answer(status.consent)]
        guard status.hasRun else {
            return lines + [
                "No agent has run in the namespace \(status.namespace) yet (--namespace names another one)."
            ]
        }
        if let id = status.clusterID { lines.append("Identity:     \(id), \(status.identity ?? "of unknown kind")") }
        if let notice = status.noticeAt { lines.append("Notice:       given \(notice)") }
        if let last = status.deliveries.first {
            lines.append("Last report:  \(last.at), \(last.bytes) bytes (\(last.report)) to \(last.to)")
            lines.append("              SHA-256 \(last.sha256)")
            lines.append("              answered: \(last.answer)")
        } else {
            lines.append("Last report:  none yet")
        }
        lines.append("Next report:  \(status.nextReportAt ?? "none is planned")")
        return lines
    }

    private static func answer(_ consent: Consent) -> String {
        switch consent {
        case .yes: "Telemetry is on: nobody said no."
        case .no(let place, let reason): "Telemetry is off, because of \(place): \(reason)."
        case .unknown(let place, let reason):
            "Telemetry is off as far as can be known: whether \(place) says no could not be read: \(reason)."
        }
    }

    /// The status for programs.
    private struct Document: Encodable {
        let enabled: Bool
        let place: String?
        let reason: String?
        let namespace: String
        let agentHasRun: Bool
        let clusterID: String?
        let identity: String?
        let noticeAt: String?
        let nextReportAt: String?
        let lastReports: [DeliveryRecord]

        init(_ status: AgentStatus) {
            switch status.consent {
            case .yes: (enabled, place, reason) = (true, nil, nil)
            case .no(let place, let reason), .unknown(let place, let reason):
                (enabled, self.place, self.reason) = (false, place.description, reason)
            }
            namespace = status.namespace
            agentHasRun = status.hasRun
            clusterID = status.clusterID
            identity = status.identity
            noticeAt = status.noticeAt
            nextReportAt = status.nextReportAt
            lastReports = status.deliveries
        }

        private enum CodingKeys: String, CodingKey {
            case enabled, place, reason, namespace, agentHasRun = "agent_has_run", clusterID = "cluster_id", identity
            case noticeAt = "notice_at", nextReportAt = "next_report_at", lastReports = "last_reports"
        }
    }
}
