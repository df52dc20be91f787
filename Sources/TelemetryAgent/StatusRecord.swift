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

    /// What the agent said of consent itself, for those of its settings that nobody else can see.
    var consent: Consent? {
        guard let place = data[Key.place].flatMap(ConsentPlace.init(rawValue:)) else {
            return data[Key.telemetry] == "on" ? .yes : nil
        }
        let reason = data[Key.reason] ?? ""
        return data[Key.telemetry] == "off" ? .no(place: place, reason: reason) : .unknown(place: place, reason: reason)
    }

    /// The changes that record a delivery and keep its report, whole where it is not too large.
    func changes(recording delivery: DeliveryRecord, of report: [UInt8]) -> [String: String?] {
        let kept = [delivery] + deliveries.prefix(Self.deliveriesKept - 1)
        let text =
            report.count <= Self.largestReport
            ? String(decoding: report, as: UTF8.self)
            : "# \(report.count) bytes are too many to be kept here; cozy-telemetry preview prints them.\n"
        return [
            Key.deliveries: kept.map(Self.line).joined(), "last-report.\(delivery.report).prom": text,
        ]
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
    }
}
