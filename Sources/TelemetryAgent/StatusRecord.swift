// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TelemetryModel

/// What became of a report, as the agent's ConfigMap keeps it.
public struct DeliveryRecord: Codable, Equatable, Sendable {
    /// When it was answered, as RFC 3339 writes it.
    public let at: String
    /// Which of the reports of a cluster it was.
    public let report: String
    /// The URL that it was sent to.
    public let to: String
    /// The length of the report.
    public let bytes: Int
    /// The SHA-256 of the report, in hexadecimal.
    public let sha256: String
    /// The status that it was answered with, or why there was none.
    public let answer: String
}

extension DeliveryRecord {
    /// The answer of a delivery that was taken.
    static let accepted = "200"

    /// What became of an attempt.
    init(_ attempt: Courier.Attempt, to endpoint: String) {
        at = attempt.at.rfc3339
        report = attempt.report.collector.statusName
        to = endpoint
        bytes = attempt.report.text.count
        sha256 = attempt.textDigest.map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
        answer =
            switch attempt.answer {
            case .accepted: Self.accepted
            case .refused(let status), .retry(_, .refused(let status)): "\(status)"
            case .retry(_, .undeliverable(let reason)): reason
            case .retry: "none"
            }
    }
}

extension Collector {
    /// Which of a cluster's reports it is, for people.
    fileprivate var statusName: String {
        switch self {
        case .v0: "cluster"
        case .v1Operator: "operator"
        case .v1Controller: "controller"
        }
    }
}

/// The values of the agent's ConfigMap: their keys, and how they are read and changed.
///
/// It never has more than about 800 KiB: an object of the API server has 1 MiB at most.
struct StatusRecord: Sendable {
    /// The values by key.
    let data: [String: String]

    /// The last deliveries, the newest first.
    var deliveries: [DeliveryRecord] {
        (data[Key.deliveries] ?? "").split(separator: "\n").compactMap { line in
            // A line that somebody changed is none of the agent's.
            try? JSONDecoder().decode(DeliveryRecord.self, from: Data(line.utf8))
        }
    }

    /// The id of the last report; nil where there was none, or somebody changed it.
    var clusterID: ClusterID? { data[Key.clusterID].flatMap { ClusterID($0) } }

    /// Since when the answer is the one that it is; nil where none was written, or somebody changed it.
    var since: UTCInstant? { data[Key.since].flatMap(UTCInstant.init(rfc3339:)) }

    /// Whether an agent wrote here, and not only somebody who said no.
    var isOfAgent: Bool { data[Key.notice] != nil || data[Key.clusterID] != nil || data[Key.telemetry] != nil }

    /// What the agent said of consent itself, for those of its settings that nobody else can see.
    var consent: Consent? {
        guard let place = data[Key.place].flatMap(ConsentPlace.init(rawValue:)) else {
            return data[Key.telemetry] == "on" ? .yes : nil
        }
        let reason = data[Key.reason] ?? ""
        return data[Key.telemetry] == "off" ? .no(place: place, reason: reason) : .unknown(place: place, reason: reason)
    }

    /// The changes that record a delivery and keep its report, whole where it is not too large.
    func changes(recording delivery: DeliveryRecord, of report: WaitingReport) -> [String: String?] {
        let kept = [delivery] + deliveries.prefix(Self.deliveriesKept - 1)
        let text =
            report.text.count <= Self.largestReport
            ? String(decoding: report.text, as: UTF8.self)
            : "# \(report.text.count) bytes are too many to be kept here; cozy-telemetry preview prints them.\n"
        var changes: [String: String?] = [Key.deliveries: kept.map(Self.line).joined()]
        for collector in Collector.allCases where collector != report.collector {
            // The report of another generation is not the last one any more.
            if report.collector.speaks(for: collector) { changes.updateValue(nil, forKey: Key.lastReport(collector)) }
        }
        changes[Key.lastReport(report.collector)] = text
        return changes
    }

    /// Whether the newest delivery of a report is the same again, but for the time.
    func hasTold(of delivery: DeliveryRecord) -> Bool {
        guard delivery.answer != DeliveryRecord.accepted,
            let last = deliveries.first(where: { $0.report == delivery.report })
        else { return false }
        return last.sha256 == delivery.sha256 && last.answer == delivery.answer
    }

    /// The changes that record who the cluster is, and when it reports next.
    static func changes(recording identity: AgentIdentity, next: UTCInstant?) -> [String: String?] {
        let kind =
            switch identity {
            case .key: "a key of its own, with which reports are signed"
            case .uid(_, let reason):
                "the UID of the namespace kube-system, unsigned" + (reason.map { ": \($0)" } ?? "")
            }
        var changes: [String: String?] = [Key.clusterID: identity.clusterID.text, Key.identity: kind]
        if let next { changes[Key.nextReportAt] = next.rfc3339 }
        return changes
    }

    /// The changes that record an answer.
    func changes(recording consent: Consent, at now: UTCInstant) -> [String: String?] {
        guard consent != self.consent else { return [:] }
        var changes: [String: String?] = [Key.since: now.rfc3339]
        switch consent {
        case .yes: changes.merge([Key.telemetry: "on", Key.place: nil, Key.reason: nil]) { $1 }
        case .no(let place, let reason):
            changes.merge([Key.telemetry: "off", Key.place: place.rawValue, Key.reason: reason]) { $1 }
        case .unknown(let place, let reason):
            changes.merge([Key.telemetry: "unknown", Key.place: place.rawValue, Key.reason: reason]) { $1 }
        }
        return changes
    }

    private static func line(_ delivery: DeliveryRecord) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // A record of texts and a number can always be encoded.
        guard let json = try? encoder.encode(delivery) else { return "" }
        return String(decoding: json, as: UTF8.self) + "\n"
    }

    /// How many deliveries are kept.
    static let deliveriesKept = 20
    /// The bytes of a report that are kept, of each of the two.
    static let largestReport = 384 << 10

    /// The keys of the values; those of refusals and of the last reports are made of names.
    enum Key {
        static let telemetry = "telemetry"
        static let place = "telemetry-place"
        static let reason = "telemetry-reason"
        static let since = "telemetry-since"
        static let deliveries = "deliveries"
        static let notice = "notice"
        static let noticeAt = "notice-at"
        static let clusterID = "cluster-id"
        static let identity = "identity"
        static let nextReportAt = "next-report-at"

        static func lastReport(_ collector: Collector) -> String { "last-report.\(collector.statusName).prom" }
    }
}
