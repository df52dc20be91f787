// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kubernetes
@testable import TelemetryAgent

@Suite("Remembered refusals")
struct RefusalsTests {
    private let no = ["telemetry-enabled": "false"]
    private let yes = ["telemetry-enabled": "true"]

    /// The facts of a cluster whose ConfigMap has a UID and values.
    private func facts(_ uid: String, _ data: [String: String]) -> ConsentFacts {
        let map = ConfigMap(metadata: meta("cozystack", uid: uid), data: data)
        return ConsentFacts(objects: PlatformObjects(configMap: .found(map)))
    }

    private var refusals: Refusals { Refusals().updated(by: facts("1", no)) }
    private var gone: ConsentFacts { ConsentFacts() }

    @Test("a no stays when its object is deleted")
    func deleted() {
        let answer = Consent(gone, remembering: refusals)
        #expect(answer == .no(place: .configMap, reason: "it said no before it was deleted"))
        #expect(refusals.updated(by: gone) == refusals)
    }

    @Test("a no stays when its object is made again without it, as an upgrade does")
    func madeAgain() {
        let answer = Consent(facts("2", [:]), remembering: refusals)
        #expect(answer == .no(place: .configMap, reason: "it said no before it was deleted and made again"))
        #expect(refusals.updated(by: facts("2", [:])) == refusals)
    }

    @Test("a no that is taken out of its object is taken back")
    func takenBack() {
        #expect(Consent(facts("1", [:]), remembering: refusals) == .yes)
        #expect(refusals.updated(by: facts("1", [:])) == Refusals())
    }

    @Test("a plain yes ends it, in the same object or another one of its name", arguments: ["1", "2"])
    func yes(uid: String) {
        #expect(Consent(facts(uid, yes), remembering: refusals) == .yes)
        #expect(refusals.updated(by: facts(uid, yes)) == Refusals())
    }

    @Test("an outage neither makes a refusal nor ends one")
    func outage() {
        let down = ConsentFacts(objects: PlatformObjects(configMap: .unreadable(reason: "no answer in time")))
        #expect(refusals.updated(by: down) == refusals)
        #expect(Refusals().updated(by: down) == Refusals())
    }

    @Test("settings of the agent itself are not remembered: it is started without them by whoever takes them back")
    func settings() {
        let facts = ConsentFacts(isDisabledByFlag: true, doNotTrack: "1")
        #expect(Refusals().updated(by: facts) == Refusals())
    }

    @Test("the values of a ConfigMap keep them, and only what changed is written")
    func values() {
        let key = Refusals.key(.configMap)
        #expect(refusals.changes(from: Refusals()) == [key: "1"])
        #expect(Refusals([key: "1", "notice": "text"]) == refusals)
        #expect(Refusals().changes(from: refusals) == [key: nil])
        #expect(refusals.changes(from: refusals).isEmpty)
    }
}
