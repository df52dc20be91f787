// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Synchronization
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryAgent

@Suite("The courier", .timeLimit(.minutes(1)))
struct CourierTests {
    private let recorder = LogRecorder()
    private let facts = WaitingReport.example(.v1Operator, "cozy_loadbalancers_count 1\n")
    private let applications = WaitingReport.example(.v1Controller, "cozy_application_count{kind=\"Redis\"} 1\n")

    /// Runs a body with a courier that waits where the test lets it, and with an outbox.
    private func withCourier(
        limit: Duration = .seconds(20),
        pause: @escaping @Sendable (Duration) async throws -> Void = { _ in },
        onAttempt: @escaping @Sendable (Courier.Attempt) async -> Void = { _ in },
        _ body: (Courier, Outbox) async throws -> Void
    ) async throws {
        let configuration = TelemetryAgent.httpClientConfiguration
        let clock = TestClock(UTCInstant(secondsSinceEpoch: 1_000_000))
        try await HTTPClient.withHTTPClient(configuration: configuration) { http in
            let courier = Courier(
                delivery: Delivery(http: http, limit: limit, now: { clock.now }),
                journal: AgentJournal(recorder.logger),
                random: { 0.5 },
                pause: pause,
                onAttempt: onAttempt
            )
            try await body(courier, Outbox(now: { clock.now }, logger: recorder.logger))
        }
    }

    /// Makes requests without a signature.
    private func unsigned(to url: String) -> Courier.Preparation {
        { _, body in TelemetryRequest.example(body, to: url) }
    }

    @Test("reports are sent as they come, and do not wait any more once they are taken")
    func run() async throws {
        let (attempts, attempt) = AsyncStream.makeStream(of: Courier.Attempt.self)
        try await TelemetryReceiver.with { receiver async throws in
            try await withCourier(onAttempt: { attempt.yield($0) }) { courier, outbox in
                let task = Task { try await courier.run(outbox, prepare: unsigned(to: receiver.url)) }
                var requests = receiver.requests.makeAsyncIterator()
                var done = attempts.makeAsyncIterator()
                for reports in [[facts, applications], [facts], [applications]] {
                    await outbox.replace(with: reports)
                    for report in reports {
                        #expect(await requests.next()?.bytes == report.text)
                        let attempt = await done.next()
                        #expect(attempt?.report == report)
                        #expect(attempt?.answer == .accepted)
                        #expect(attempt?.at == UTCInstant(secondsSinceEpoch: 1_000_000))
                        #expect(attempt?.body == RequestBody(report.text))
                    }
                }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(await outbox.count == 0)
            }
        }
        #expect(recorder.recorded.isEmpty)
    }

    @Test("a failure is tried again after the wait, the other report first, and the wait begins anew after a success")
    func retries() async throws {
        let (waits, wait) = AsyncStream.makeStream(of: Duration.self)
        let replies = [503, 429, 200, 500, 200].map { status in
            TelemetryReceiver.Reply(status: status, headers: status == 429 ? [("Retry-After", "40")] : [])
        }
        try await TelemetryReceiver.with(.replies(replies)) { receiver async throws in
            try await withCourier(pause: { wait.yield($0) }) { courier, outbox in
                await outbox.replace(with: [facts, applications])
                let task = Task { try await courier.run(outbox, prepare: unsigned(to: receiver.url)) }
                var bodies: [[UInt8]] = []
                for await request in receiver.requests {
                    bodies.append(request.bytes)
                    if bodies.count == 5 { break }
                }
                #expect(bodies == [facts, applications, facts, applications, applications].map(\.text))
                var seen = waits.makeAsyncIterator()
                #expect(await seen.next() == .seconds(2.5))
                #expect(await seen.next() == .seconds(45))
                #expect(await seen.next() == .seconds(2.5))
                task.cancel()
                _ = await task.result
            }
        }
    }

    @Test("what an endpoint asked for is heeded by the next run, too")
    func interruption() async throws {
        let (waits, wait) = AsyncStream.makeStream(of: Duration.self)
        let reply = TelemetryReceiver.Reply(status: 429, headers: [("Retry-After", "3600")])
        try await TelemetryReceiver.with(.replies([reply])) { receiver async throws in
            let pause: @Sendable (Duration) async throws -> Void = { duration in
                wait.yield(duration)
                // As long as the run is not cancelled.
                try await Task.sleep(for: .seconds(60))
            }
            try await withCourier(pause: pause) { courier, outbox in
                await outbox.replace(with: [facts])
                var seen = waits.makeAsyncIterator()
                for _ in 1...2 {
                    let task = Task { try await courier.run(outbox, prepare: unsigned(to: receiver.url)) }
                    let wait = try #require(await seen.next())
                    #expect(wait > .seconds(3_500))
                    task.cancel()
                    _ = await task.result
                }
                // A second request would have been answered 200.
                #expect(await outbox.count == 1)
            }
        }
    }

    @Test("a newer report takes the place of one that waits to be tried again")
    func replacement() async throws {
        let newer = WaitingReport.example(.v1Operator, "cozy_loadbalancers_count 2\n")
        let (pauses, paused) = AsyncStream.makeStream(of: Void.self)
        let (goOn, going) = AsyncStream.makeStream(of: Void.self)
        let pause: @Sendable (Duration) async throws -> Void = { _ in
            paused.yield()
            for await _ in goOn { break }
        }
        try await TelemetryReceiver.with(.replies([.init(status: 503)])) { receiver async throws in
            try await withCourier(pause: pause) { courier, outbox in
                await outbox.replace(with: [facts])
                let task = Task { try await courier.run(outbox, prepare: unsigned(to: receiver.url)) }
                for await _ in pauses { break }
                await outbox.replace(with: [newer])
                going.yield()
                var requests = receiver.requests.makeAsyncIterator()
                #expect(await requests.next()?.bytes == facts.text)
                #expect(await requests.next()?.bytes == newer.text)
                task.cancel()
                _ = await task.result
            }
        }
    }

    @Test("what is refused for good is dropped, after one attempt", arguments: [301, 400, 401, 413])
    func refusals(status: Int) async throws {
        let (attempts, attempt) = AsyncStream.makeStream(of: DeliveryAnswer.self)
        try await TelemetryReceiver.with(.replies([.init(status: status)])) { receiver async throws in
            try await withCourier(onAttempt: { attempt.yield($0.answer) }) { courier, outbox in
                await outbox.replace(with: [facts, applications])
                let task = Task { try await courier.run(outbox, prepare: unsigned(to: receiver.url)) }
                var answers = attempts.makeAsyncIterator()
                #expect(await answers.next() == .refused(status: status))
                #expect(await answers.next() == .accepted)
                await outbox.replace(with: [])
                task.cancel()
                _ = await task.result
                #expect(await outbox.next(after: .v1Controller) == nil)
            }
        }
    }

    @Test("a no right before an attempt ends it: nothing is sent, and what waits goes on waiting")
    func refusedConsent() async throws {
        try await MisbehavingEndpoint.with(.says("")) { endpoint, _ async throws in
            try await withCourier { courier, outbox async throws in
                await outbox.replace(with: [facts])
                try await courier.run(outbox) { _, _ in nil }
                #expect(await outbox.count == 1)
                #expect(try await courier.sendNow([facts]) { _, _ in nil } == 0)
            }
            #expect(endpoint.connections.withLock { $0 } == 0)
        }
    }

    @Test("cancelling ends the request under way at once, and the report goes on waiting")
    func cancellation() async throws {
        try await MisbehavingEndpoint.with(.says("")) { endpoint, url async throws in
            try await withCourier { courier, outbox async throws in
                await outbox.replace(with: [facts])
                let task = Task { try await courier.run(outbox, prepare: unsigned(to: url)) }
                for await _ in endpoint.begun { break }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                for await _ in endpoint.closed { break }
                #expect(await outbox.next(after: nil) == facts)
            }
        }
    }

    @Test("an endpoint that is gone for three rounds is said when that begins and when it ends, without its address")
    func outage() async throws {
        let endpoint = ReturningEndpoint()
        let (attempts, attempt) = AsyncStream.makeStream(of: DeliveryAnswer.self)
        try await TelemetryReceiver.with { receiver async throws in
            let pause: @Sendable (Duration) async throws -> Void = { [url = receiver.url] _ in
                endpoint.fail(times: 6, then: url)
            }
            try await withCourier(pause: pause, onAttempt: { attempt.yield($0.answer) }) { courier, outbox in
                await outbox.replace(with: [facts, applications])
                let task = Task {
                    try await courier.run(outbox) { _, body in
                        TelemetryRequest.example(body, to: endpoint.url)
                    }
                }
                var accepted = 0
                for await answer in attempts {
                    if answer == .accepted { accepted += 1 }
                    if accepted == 2 { break }
                }
                await outbox.replace(with: [facts])
                for await answer in attempts where answer == .accepted { break }
                task.cancel()
                _ = await task.result
            }
        }
        let reason = "the telemetry endpoint cannot be reached: Connection refused"
        #expect(
            recorder.recorded == [
                "warning Telemetry cannot be sent; it is tried again reason=\(reason)",
                "info Telemetry is sent again",
            ]
        )
    }

    @Test("an outage ends once nothing fails any more, also where reports of another generation take over")
    func journal() {
        let journal = AgentJournal(recorder.logger)
        let error = AgentError.refused(status: 500)
        let begins = "warning Telemetry cannot be sent; it is tried again reason=\(error)"
        let ends = "info Telemetry is sent again"
        journal.noteSuccess(of: .v0)
        journal.noteFailure(error, of: .v1Operator)
        journal.noteFailure(error)
        journal.noteFailure(error, of: .v1Controller)
        journal.noteSuccess(of: .v1Operator)
        journal.noteSuccess()
        #expect(recorder.recorded == [begins])
        journal.noteSuccess(of: .v1Controller)
        journal.noteFailure(error, of: .v0)
        journal.noteSuccess(of: .v1Operator)
        journal.noteSuccess(of: .v1Operator)
        #expect(recorder.recorded == [begins, ends, begins, ends])
    }

    @Test("a packed report that is answered 415 is sent again plain at once, and so are all after it")
    func negotiation() async throws {
        let large = WaitingReport.example(.v0, String(repeating: "# the same line again\n", count: 50))
        let takesGzip = [("Accept-Encoding", "gzip")]
        let replies = [200, 200, 415, 200, 200].map { TelemetryReceiver.Reply(status: $0, headers: takesGzip) }
        let (attempts, attempt) = AsyncStream.makeStream(of: Courier.Attempt.self)
        var packed: [Bool] = []
        try await TelemetryReceiver.with(.replies(replies)) { receiver async throws in
            try await withCourier(onAttempt: { attempt.yield($0) }) { courier, outbox in
                let task = Task { try await courier.run(outbox, prepare: unsigned(to: receiver.url)) }
                var requests = receiver.requests.makeAsyncIterator()
                var done = attempts.makeAsyncIterator()
                // The number of requests that each of the reports takes.
                for count in [1, 1, 2, 1] {
                    await outbox.replace(with: [large])
                    for _ in 0..<count {
                        let (request, attempt) = (await requests.next(), await done.next())
                        #expect(request?.bytes == attempt?.body.bytes)
                        #expect(request?.headers["Content-Encoding"] == (attempt?.body.isPacked == true ? "gzip" : nil))
                        packed.append(attempt?.body.isPacked == true)
                    }
                    while await outbox.count > 0 { await Task.yield() }
                }
                task.cancel()
                _ = await task.result
            }
        }
        #expect(packed == [false, true, true, false, false])
        #expect(recorder.recorded.isEmpty)
    }

    @Test("what runs meanwhile begins with each request and is over when that is answered")
    func meanwhile() async throws {
        let (answered, answer) = AsyncStream.makeStream(of: Void.self)
        let events = Mutex<[String]>([])
        let note: @Sendable (String) -> Void = { event in events.withLock { $0.append(event) } }
        let onAttempt: @Sendable (Courier.Attempt) async -> Void = { _ in
            note("answered")
            answer.yield()
        }
        try await TelemetryReceiver.with { receiver async throws in
            try await withCourier(onAttempt: onAttempt) { courier, outbox async throws in
                let meanwhile: @Sendable () async -> Void = {
                    note("begun")
                    // Until it is cancelled.
                    try? await Task.sleep(for: .seconds(3_600))
                    note("over")
                }
                await outbox.replace(with: [facts, applications])
                let task = Task {
                    try await courier.run(outbox, meanwhile: meanwhile, prepare: unsigned(to: receiver.url))
                }
                var answers = answered.makeAsyncIterator()
                for _ in 1...2 { await answers.next() }
                task.cancel()
                _ = await task.result
                let expected = ["begun", "over", "answered"]
                #expect(events.withLock { $0 } == expected + expected)
            }
        }
    }

    @Test("sending now is one attempt each, and the first failure is thrown once all were tried")
    func sendNow() async throws {
        try await TelemetryReceiver.with(.replies([.init(status: 503)])) { receiver async throws in
            try await withCourier { courier, _ async throws in
                await #expect(throws: AgentError.refused(status: 503)) {
                    try await courier.sendNow([facts, applications], prepare: unsigned(to: receiver.url))
                }
                #expect(try await courier.sendNow([facts, applications], prepare: unsigned(to: receiver.url)) == 2)
                var seen = receiver.requests.makeAsyncIterator()
                for report in [facts, applications, facts, applications] {
                    #expect(await seen.next()?.bytes == report.text)
                }
            }
        }
    }
}

/// The URL of an endpoint that is not there at first.
private final class ReturningEndpoint: Sendable {
    private let state = Mutex((url: "http://127.0.0.1:1", failures: 0))

    var url: String { state.withLock { $0.url } }

    /// Counts a failure; after so many the endpoint is there.
    func fail(times: Int, then url: String) {
        state.withLock { state in
            state.failures += 1
            if state.failures == times { state.url = url }
        }
    }
}
