// SPDX-License-Identifier: Apache-2.0

import TelemetryModel
import Testing

@testable import Kubernetes
@testable import TelemetryAgent

@Suite("The status in the agent's ConfigMap")
struct StatusTests {
    private func delivery(_ number: Int) -> DeliveryRecord {
        DeliveryRecord(
            at: "2026-03-01T00:00:0\(number % 10)Z",
            report: "cluster",
            to: "https://reports.example/in",
            bytes: number,
            sha256: String(repeating: "a", count: 64),
            answer: "200"
        )
    }

    /// The values after changes.
    private func merged(_ data: [String: String], _ changes: [String: String?]) -> [String: String] {
        data.merging(changes.compactMapValues { $0 }) { $1 }.filter { changes[$0.key] != .some(nil) }
    }

    @Test("the last deliveries are kept, the newest first, with the last report as it was")
    func deliveries() {
        var data: [String: String] = [:]
        for number in 0..<30 {
            let changes = StatusRecord(data: data).changes(
                recording: delivery(number),
                of: .example(.v0, "report \(number)\n")
            )
            data = merged(data, changes)
        }
        #expect(StatusRecord(data: data).deliveries == (10..<30).reversed().map(delivery))
        #expect(data["last-report.cluster.prom"] == "report 29\n")
        #expect(data.count == 2)
    }

    @Test("two reports of the largest size fit in an object of the API server; a larger one is only told of")
    func size() {
        let large = String(repeating: "a", count: StatusRecord.largestReport)
        let changes = StatusRecord(data: [:]).changes(recording: delivery(1), of: .example(.v0, large))
        let size = changes.values.reduce(0) { $0 + ($1?.utf8.count ?? 0) }
        #expect(size > StatusRecord.largestReport && 2 * size < 1 << 20)
        let other = StatusRecord(data: [:]).changes(recording: delivery(1), of: .example(.v0, large + large))
        #expect(other["last-report.cluster.prom"]??.hasPrefix("# \(2 * large.count) bytes are too many") == true)
    }

    @Test("lines that somebody changed are none of the agent's")
    func damaged() {
        let record = StatusRecord(data: ["deliveries": "{\n\nno\n{\"at\": 1}\n"])
        #expect(record.deliveries.isEmpty)
    }

    @Test(
        "an answer is recorded once, with its place and reason",
        arguments: [
            Consent.yes, .no(place: .flag, reason: "it is set"),
            .unknown(place: .configMap, reason: "not allowed (403)"),
        ]
    )
    func consent(consent: Consent) {
        let before = ["telemetry": "off", "telemetry-place": "environment", "telemetry-reason": "it is set"]
        let now = UTCInstant(secondsSinceEpoch: 1_772_323_200)
        let changes = StatusRecord(data: before).changes(recording: consent, at: now)
        let after = StatusRecord(data: merged(before, changes))
        #expect(after.consent == consent)
        #expect(after.data["telemetry-since"] == "2026-03-01T00:00:00Z")
        #expect(after.changes(recording: consent, at: now).isEmpty)
    }

    @Test("a setting of the agent that says no is known from what it said itself")
    func ownSetting() {
        let data = ["telemetry": "off", "telemetry-place": "flag", "telemetry-reason": "it is set"]
        let map = ConfigMap(metadata: meta("cozy-telemetry-status"), data: data)
        let status = AgentStatus(PlatformObjects(statusConfigMap: .found(map)), namespace: "agents")
        #expect(status.consent == .no(place: .flag, reason: "it is set"))
        #expect(status.hasRun)
        #expect(!AgentStatus(PlatformObjects(), namespace: "agents").hasRun)
    }

    @Test("what the agent itself could not read is known from what it said, whoever else can read it")
    func unreadByAgent() {
        let data = [
            "telemetry": "unknown", "telemetry-place": "platformPackage", "telemetry-reason": "not allowed (403)",
        ]
        let map = ConfigMap(metadata: meta("cozy-telemetry-status"), data: data)
        let status = AgentStatus(PlatformObjects(statusConfigMap: .found(map)), namespace: "agents")
        #expect(status.consent == .unknown(place: .platformPackage, reason: "the agent got: not allowed (403)"))
    }

    @Test("a no that the agent heard elsewhere counts only while it stands there")
    func formerRefusal() {
        let data = ["telemetry": "off", "telemetry-place": "configMap", "telemetry-reason": "it says no"]
        let map = ConfigMap(metadata: meta("cozy-telemetry-status"), data: data)
        let status = AgentStatus(PlatformObjects(statusConfigMap: .found(map)), namespace: "agents")
        #expect(status.consent == .yes)
    }
}

@Suite("The notice")
struct NoticeTests {
    private let notice = Notice(endpoint: "https://reports.example", interval: .seconds(900), namespace: "agents")
    private let given = UTCInstant(secondsSinceEpoch: 1_772_323_200)

    private func state(after seconds: Int64, text: String? = nil) -> Notice.State {
        let record = StatusRecord(data: ["notice": text ?? notice.text, "notice-at": given.rfc3339])
        let now = UTCInstant(secondsSinceEpoch: given.secondsSinceEpoch + seconds)
        return notice.state(in: record, at: now)
    }

    @Test("its period is counted from when it was given, over restarts")
    func restarts() {
        #expect(state(after: 0) == .given(.zero))
        #expect(state(after: 3_599) == .given(.seconds(3_599)))
        #expect(state(after: 1 << 40) == .given(.seconds(1 << 40)))
        #expect(state(after: -1) == .givenLater)
    }

    @Test("it is given again where it was not given, cannot be read, or said something else")
    func again() {
        let now = given
        #expect(notice.state(in: StatusRecord(data: [:]), at: now) == .missing)
        let half = StatusRecord(data: ["notice": notice.text, "notice-at": "yesterday"])
        #expect(notice.state(in: half, at: now) == .missing)
        let other = Notice(endpoint: "https://other.example", interval: .seconds(900), namespace: "agents")
        #expect(state(after: 9_999, text: other.text) == .missing)
    }

    @Test("it says where reports go, how often, how to see them and how to say no, and fits an Event")
    func text() {
        for text in [notice.text, notice.summary] {
            #expect(text.contains("https://reports.example, every 15 minutes"))
            #expect(text.contains("cozy-telemetry opt-out"))
            #expect(text.contains("cozy-telemetry-status"))
        }
        #expect(notice.text.contains("cozy-telemetry preview"))
        #expect(notice.summary.utf8.count < 1_024)
        let second = Notice(endpoint: "https://reports.example", interval: .seconds(1), namespace: "agents")
        #expect(second.text.contains("every 1 seconds") == false)
    }
}
