// SPDX-License-Identifier: Apache-2.0

import Kubernetes
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryAgent

@Suite(
    "An agent whose API server is busy, slow or silent",
    .serialized,
    .enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.requirements)),
    .timeLimit(.minutes(3))
)
struct BadServerTests {
    typealias Fault = ControlPlaneGate.Fault

    /// A namespace of its own on the API server that suites share, the gate before that, and the owner beside the gate.
    private func withGate(
        _ namespace: String,
        _ body: (ControlPlaneGate, OwnersChoice) async throws -> Void
    ) async throws {
        try await ControlPlane.withSharedClient { client, plane in
            _ = try await plane.namespace(namespace)
            try await ControlPlaneGate.with(plane) { gate in
                try await body(gate, OwnersChoice(client: client, namespace: namespace))
            }
        }
    }

    /// An agent that waits for an answer for as long as it takes, so that only a no ends a delivery.
    private func patientAgent(_ endpoint: String, _ namespace: String) -> RunningAgent {
        RunningAgent(endpoint: endpoint, namespace: namespace, deliveryLimit: .seconds(3_600))
    }

    @Test(
        "a no cuts off the delivery under way, however slow the server is with the rest",
        arguments: [("nothing-is-written", Fault.silent, "PATCH "), ("slow-answers", .slow(.milliseconds(700)), "")]
    )
    func slow(name: String, fault: Fault, filter: String) async throws {
        try await withGate(name) { gate, choice async throws in
            try await cutsOff(gate, choice, patientAgent("", name), before: { gate.become(fault, for: filter) })
        }
    }

    @Test(
        "a no cuts off the delivery under way, although every watch is refused or dead and the next report is far",
        arguments: [("watches-refused", Fault.busy(retryAfter: 3_600)), ("watches-dead", .headOnly)]
    )
    func withoutWatches(name: String, fault: Fault) async throws {
        try await withGate(name) { gate, choice async throws in
            gate.become(fault, for: "watch=true")
            var agent = patientAgent("", name)
            agent.interval = .seconds(900)
            try await makeKey(in: name, reportingEvery: agent.interval)
            try await cutsOff(gate, choice, agent)
        }
    }

    /// Says no while a backend does not answer, and waits until the agent gives it up.
    private func cutsOff(
        _ gate: ControlPlaneGate,
        _ choice: OwnersChoice,
        _ agent: RunningAgent,
        before: () -> Void = {}
    ) async throws {
        try await TelemetryReceiver.with(.silence) { receiver async throws in
            var agent = agent
            agent.endpoint = receiver.url
            let recorder = LogRecorder()
            try await agent.run(gate.configuration, recorder) { () async throws in
                var requests = receiver.requests.makeAsyncIterator()
                #expect(await requests.next()?.line == "POST /")
                before()
                #expect(try await choice.optOut().changed == [.statusConfigMap])
                let said = ContinuousClock.now
                var closings = receiver.closings.makeAsyncIterator()
                await closings.next()
                print("\(agent.namespace): a delivery was cut off \(ContinuousClock.now - said) after the no")
                gate.become(.none)
                _ = await recorder.line(beginning: "notice Telemetry is off")
            }
        }
    }

    /// Makes a key whose moment of the interval is in some seconds.
    private func makeKey(in namespace: String, reportingEvery interval: Duration) async throws {
        let now = Duration.seconds(UTCInstant.now().secondsSinceEpoch)
        var key = ClusterKey()
        // An agent has begun by then.
        while !(4...5).contains(
            (ReportMoments(every: interval, of: key.clusterID).next(after: now) - now) / .seconds(1)
        ) {
            key = ClusterKey()
        }
        let secret = Secret.manifest(name: KeyStore.secretName, data: [KeyStore.field: key.seed])
        try await ControlPlane.withSharedClient { client, _ in
            try await client.create(.secrets, namespace: namespace, secret)
        }
    }

    @Test("a server that is busy is left alone; nothing is sent meanwhile, nor after a no that was said meanwhile")
    func busy() async throws {
        try await withGate("busy") { gate, choice async throws in
            try await TelemetryReceiver.with { receiver async throws in
                let recorder = LogRecorder()
                try await patientAgent(receiver.url, "busy").run(gate.configuration, recorder) { () async throws in
                    var requests = receiver.requests.makeAsyncIterator()
                    #expect(await requests.next()?.line == "POST /")
                    gate.become(.busy(retryAfter: 2))
                    let unknown = await recorder.line(beginning: "warning Nothing is sent")
                    #expect(unknown?.hasSuffix("the API server is busy (429)") == true)
                    gate.cut()
                    let (taken, asked) = (receiver.count, gate.requests.count)
                    // That something does not happen takes time to see.
                    try await Task.sleep(for: .seconds(3))
                    #expect(receiver.count == taken)
                    // Six places, each read and watched: at once, and after 1, 2 and 4 s at the most.
                    let more = gate.requests.count - asked
                    #expect((1...48).contains(more), "\(more)")
                    _ = try await choice.optOut()
                    gate.become(.none)
                    _ = await recorder.line(beginning: "notice Telemetry is off")
                    #expect(receiver.count == taken)
                    _ = try await choice.optIn()
                    _ = await recorder.line(beginning: "info Telemetry is on")
                    while receiver.count == taken { _ = await requests.next() }
                }
            }
        }
    }

    @Test("a server that hangs is no yes: the delivery under way is cut off, and reports resume once it answers")
    func hangs() async throws {
        try await withGate("silent") { gate, _ async throws in
            try await TelemetryReceiver.with(.silence) { receiver async throws in
                let recorder = LogRecorder()
                try await patientAgent(receiver.url, "silent").run(gate.configuration, recorder) { () async throws in
                    var requests = receiver.requests.makeAsyncIterator()
                    #expect(await requests.next()?.line == "POST /")
                    gate.become(.silent)
                    var closings = receiver.closings.makeAsyncIterator()
                    await closings.next()
                    let unknown = await recorder.line(beginning: "warning Nothing is sent")
                    #expect(unknown?.hasSuffix("no answer in time") == true)
                    gate.become(.none)
                    #expect(await requests.next()?.line == "POST /")
                }
            }
        }
    }

    /// An eighth of the real ones.
    private let short = LeaseTimes(
        duration: .milliseconds(2_500),
        renewal: .milliseconds(625),
        surrender: .milliseconds(1_875),
        retry: .milliseconds(625)
    )

    @Test(
        "a leader whose API server hangs or is busy is silent before another one leads, and leads again when that one stops",
        arguments: [("lease-head-only", Fault.headOnly), ("lease-busy", .busy(retryAfter: 60))]
    )
    func lease(name: String, fault: Fault) async throws {
        try await withGate(name) { gate, _ async throws in
            let plane = try await ControlPlane.shared()
            try await TelemetryReceiver.with(.silence) { receiver async throws in
                let (first, second) = (LogRecorder(), LogRecorder())
                var agent = patientAgent(receiver.url, name)
                agent.election = short
                try await agent.run(gate.configuration, first) { () async throws in
                    var requests = receiver.requests.makeAsyncIterator()
                    var closings = receiver.closings.makeAsyncIterator()
                    #expect(await requests.next()?.line == "POST /")
                    try await ControlPlaneGate.with(plane) { other async throws in
                        try await agent.run(other.configuration, second) { () async throws in
                            _ = await second.line(beginning: "info Another one leads")
                            let asked = gate.requests.count
                            gate.become(fault)
                            gate.cut()
                            _ = await second.line(beginning: "info This one leads")
                            #expect(first.recorded.contains { $0.hasPrefix("warning This one does not lead any more") })
                            // Renewals every 125 ms for two seconds, and the places of consent, each read and watched twice.
                            #expect(gate.requests.count - asked < 60)
                            await closings.next()
                            #expect(await requests.next()?.line == "POST /")
                            gate.become(.none)
                            _ = await first.line(beginning: "info Another one leads")
                            #expect(receiver.count == 2)
                        }
                    }
                    #expect(await requests.next()?.line == "POST /")
                }
            }
        }
    }
}

extension LogRecorder {
    /// The first line, of those not yet read, that begins with a text.
    fileprivate func line(beginning text: String) async -> String? {
        for await line in lines where line.hasPrefix(text) { return line }
        return nil
    }
}
