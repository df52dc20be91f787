// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import NIOCore
import NIOHTTP1
import TelemetryModel
import Testing

@testable import TelemetryServer

@Suite("What a connection is at")
struct IngestConnectionStateTests {
    private typealias Action = IngestConnectionState.Action

    private var state = IngestConnectionState(limits: .init(body: 10, refusedBody: 20, afterLastAnswer: 30))

    private func head(
        _ method: HTTPMethod = .POST,
        _ target: String = "/",
        _ headers: HTTPHeaders = ["X-Cluster-ID": "a", "Content-Length": "2"],
        version: HTTPVersion = .http1_1
    ) -> HTTPRequestHead {
        HTTPRequestHead(version: version, method: method, uri: target, headers: headers)
    }

    private func bytes(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 35, count: count) }

    private func status(_ action: Action) -> Int? {
        if case .answer(.refused(let refusal, _), _) = action { refusal.status.code } else { nil }
    }

    private func next(_ action: Action) -> IngestConnectionState.Next? {
        if case .answer(_, let next) = action { next } else { nil }
    }

    private mutating func takeReport() {
        _ = state.head(head(), isFull: false)
        _ = state.body(bytes(2))
        _ = state.end()
    }

    @Test("a report is read, taken and answered, and the connection goes on")
    mutating func report() throws {
        #expect(state.head(head(), isFull: false) == .nothing)
        #expect(state.isReading)
        #expect(state.body(bytes(1)) == .nothing)
        #expect(state.body(bytes(1)) == .nothing)
        let fields = RequestFields(head().headers)
        #expect(state.end() == .take(try Admission(.POST, fields, limits: .init(body: 10)), body: [35, 35]))
        #expect(state.isBusy)
        #expect(state.timedOut() == .nothing)
        #expect(state.completed(nil) == .answer(.accepted, then: .goOn))
        #expect(!state.isBusy)
        #expect(state.completed(nil) == .nothing)
        #expect(state.timedOut() == .end(.close))
    }

    @Test("what asks for the end of the connection gets it with the answer")
    mutating func lastRequests() {
        let close: HTTPHeaders = ["X-Cluster-ID": "a", "Connection": "close"]
        let upgrade: HTTPHeaders = ["X-Cluster-ID": "a", "Upgrade": "other"]
        for head in [head(.POST, "/", close), head(.POST, "/", upgrade), head(version: .http1_0)] {
            var state = state
            _ = state.head(head, isFull: false)
            _ = state.end()
            #expect(state.completed(nil) == .answer(.accepted, then: .linger))
            #expect(state.head(self.head(), isFull: false) == .nothing)
            #expect(state.inputClosed() == .end(.close))
        }
    }

    @Test("a request that is refused by its head ends the connection unless the rest of it is known to be short")
    mutating func refusedHeads() {
        let cases: [(HTTPMethod, HTTPHeaders, Int, IngestConnectionState.Next)] = [
            (.PUT, [:], 405, .goOn), (.OPTIONS, [:], 405, .goOn), (.POST, [:], 400, .goOn),
            (.POST, ["Content-Length": "20"], 400, .goOn), (.POST, ["Content-Length": "21"], 400, .linger),
            (.POST, ["Transfer-Encoding": "chunked"], 400, .linger),
            (.POST, ["Content-Length": "2", "Expect": "100-continue"], 400, .linger),
            (.POST, ["X-Cluster-ID": "a", "Content-Length": "11"], 413, .linger),
            (.POST, ["X-Cluster-ID": "a", "Content-Type": "text/html"], 415, .goOn),
        ]
        for (method, headers, expected, after) in cases {
            var state = state
            let action = state.head(head(method, "/", headers), isFull: false)
            #expect(status(action) == expected, "\(method) \(headers)")
            #expect(next(action) == after, "\(method) \(headers)")
            #expect(state.body(bytes(2)) == .nothing)
            #expect(state.end() == .nothing)
            #expect(state.isLingering == (after == .linger))
        }
    }

    @Test("100 Continue is said where a body is going to be read")
    mutating func proceeds() {
        let headers: HTTPHeaders = ["X-Cluster-ID": "a", "Content-Length": "2", "Expect": "100-Continue"]
        for (head, expected) in [
            (head(.POST, "/", headers), Action.proceed), (head(.POST, "/", headers, version: .http1_0), .nothing),
            (head(.POST, "/", ["X-Cluster-ID": "a", "Expect": "100-continue"]), .nothing),
        ] {
            var state = state
            #expect(state.head(head, isFull: false) == expected)
        }
    }

    @Test("a body that grows over the limit, or finds no memory, is refused at once, and the rest is thrown away")
    mutating func refusedBodies() {
        var other = state
        _ = state.head(head(), isFull: false)
        #expect(state.body(bytes(10)) == .nothing)
        let action = state.body(bytes(1))
        #expect(status(action) == 413)
        #expect(next(action) == .linger)
        #expect(state.body(bytes(20)) == .nothing)
        #expect(state.discarded(11) == .end(.close))
        let full = other.head(head(), isFull: true)
        #expect(status(full) == 503)
        #expect(other.end() == .nothing)
        _ = other.head(head(), isFull: false)
        let exhausted = other.exhausted()
        #expect(status(exhausted) == 503)
    }

    @Test("what breaks off or is no HTTP is 400, and the connection ends")
    mutating func broken() {
        var states = [state, state, state]
        #expect(states[0].malformed() == .answer(.malformed, then: .linger))
        for index in 1...2 { _ = states[index].head(head(), isFull: false) }
        let malformed = states[1].malformed()
        #expect(status(malformed) == 400)
        #expect(next(malformed) == .linger)
        let closed = states[2].inputClosed()
        #expect(status(closed) == 400)
        #expect(next(closed) == .close)
        takeReport()
        state.inactive()
        #expect(state.completed(nil) == .nothing)
    }

    @Test("other requests pass, and what comes after one waits for its response")
    mutating func passes() {
        for head in [head(.GET, "/healthz", [:]), head(.GET), head(.HEAD, "/?month=2026-03")] {
            var state = state
            #expect(state.head(head, isFull: true) == .pass)
        }
        #expect(state.head(head(.GET, "/healthz", [:]), isFull: true) == .pass)
        #expect(state.isPassing)
        #expect(state.body(bytes(100)) == .pass)
        #expect(!state.isBusy)
        #expect(state.end() == .pass)
        #expect(state.isBusy)
        let isLast = state.responseBegan()
        #expect(!isLast)
        #expect(state.responseEnded() == .nothing)
        #expect(!state.isBusy && !state.isPassing)
        _ = state.head(head(.PUT, "/x", [:]), isFull: false)
        #expect(state.responseEnded() == .nothing)
        #expect(state.body(bytes(1)) == .pass)
        #expect(state.end() == .pass)
        #expect(!state.isBusy)
        _ = state.head(head(.PUT, "/x", ["Content-Length": "1", "Expect": "100-continue"]), isFull: false)
        let isNowLast = state.responseBegan()
        #expect(isNowLast)
        #expect(state.responseEnded() == .end(.linger))
    }

    @Test("each wait has its own end: 408 for half a head or half a body, the close for no request")
    mutating func waits() {
        #expect(state.wait == .request)
        state.bytes()
        #expect(state.wait == .head)
        let slowHead = state.timedOut()
        #expect(status(slowHead) == 408)
        #expect(next(slowHead) == .linger)
        #expect(state.isOver)
        var states = Array(repeating: IngestConnectionState(limits: .init(body: 10)), count: 4)
        _ = states[0].head(head(), isFull: false)
        states[0].bytes()
        #expect(states[0].wait == .body)
        let slowBody = states[0].timedOut()
        #expect(status(slowBody) == 408)
        _ = states[1].head(head(.PUT, "/x"), isFull: false)
        #expect(states[1].wait == .body)
        let slowRouted = states[1].timedOut()
        #expect(status(slowRouted) == 408)
        _ = states[2].head(head(.PUT, "/x"), isFull: false)
        _ = states[2].responseBegan()
        #expect(states[2].timedOut() == .end(.close))
        _ = states[3].head(head(.PUT), isFull: false)
        #expect(states[3].wait == .body)
        #expect(states[3].timedOut() == .end(.close))
        takeReport()
        #expect(state.wait == .nothing)
    }

    @Test("the last request that a connection may have is answered as the last")
    func countsRequests() {
        var state = IngestConnectionState(limits: .init(body: 10, requests: 2))
        for expected in [IngestConnectionState.Next.goOn, .linger] {
            _ = state.head(head(), isFull: false)
            _ = state.end()
            let last = state.completed(nil)
            #expect(next(last) == expected)
        }
        #expect(state.requests == 2)
    }

    @Test("a report that is one too many is refused by its head; what is in disorder is not counted")
    func admits() {
        let refusal = Refusal.tooMany(.network, after: .milliseconds(1_001))
        #expect(refusal.headers[.retryAfter] == "2")
        var state = state
        let refused = state.head(head(), isFull: false) { _ throws(Refusal) -> UInt64 in throw refusal }
        #expect(refused == .answer(.refused(refusal, headOnly: false), then: .goOn))
        _ = state.end()
        for (head, isFull) in [(head(.PUT), false), (head(.POST, "/", [:]), false), (head(), true)] {
            var state = state
            _ = state.head(head, isFull: isFull) { _ throws(Refusal) -> UInt64 in
                Issue.record("it was counted")
                return 0
            }
        }
        _ = state.head(head(), isFull: false) { _ in 7 }
        _ = state.body(bytes(2))
        let taken = state.end()
        let network: UInt64? = if case .take(let admission, _) = taken { admission.network } else { nil }
        #expect(network == 7)
    }

    @Test("a stop finishes what is under way and closes what is idle")
    mutating func finishes() {
        var states = [state, state, state, state, state]
        #expect(states[0].finish() == .end(.close))
        _ = states[1].head(head(), isFull: false)
        #expect(states[1].finish() == .nothing)
        _ = states[1].end()
        #expect(states[1].completed(nil) == .answer(.accepted, then: .linger))
        _ = states[2].head(head(.GET, "/healthz", [:]), isFull: false)
        #expect(states[2].finish() == .nothing)
        let isLast = states[2].responseBegan()
        #expect(isLast)
        #expect(states[2].responseEnded() == .end(.linger))
        _ = states[3].head(head(.PUT), isFull: false)
        #expect(states[3].finish() == .end(.linger))
        #expect(states[3].timedOut() == .end(.close))
        _ = states[4].head(head(.GET, "/healthz", [:]), isFull: false)
        #expect(states[4].routesClosed() == .end(.close))
    }

    @Test(
        "targets whose path is the root",
        arguments: [
            ("/", true), ("/?a=/b", true), ("/#a", true), ("http://host", true), ("http://host:1/?q", true),
            ("http://host?q", true), ("//", false), ("/a", false), ("/a?b=http://c/", false), ("http://host/a", false),
            ("*", false), ("host:1", false),
        ]
    )
    func targets(target: String, isRoot: Bool) {
        #expect(head(.GET, target).isForRoot == isRoot)
    }
}
