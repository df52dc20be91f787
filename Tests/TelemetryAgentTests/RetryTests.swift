// SPDX-License-Identifier: Apache-2.0

import Gzip
import TelemetryModel
import Testing

@testable import TelemetryAgent

@Suite("What an answer means, and when to try again")
struct RetryTests {
    private let now = UTCInstant(secondsSinceEpoch: 784_111_777)

    @Test("exactly 200 is taken, what may pass is tried again, anything else is final")
    func statuses() {
        for status in 100..<600 {
            let answer = DeliveryAnswer(status: status, now: now)
            switch status {
            case 200: #expect(answer == .accepted)
            case 408, 425, 429, 500...: #expect(answer == .retry(after: nil, reason: .refused(status: status)))
            default: #expect(answer == .refused(status: status))
            }
        }
    }

    @Test(
        "Retry-After is a number of seconds or a date in any of its three forms",
        arguments: [
            ("0", 0), ("120", 120), (" 7", 7), ("99999999999999999999", Int64(Int32.max)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 0), ("Sun, 06 Nov 1994 08:50:37 GMT", 60),
            ("Sunday, 06-Nov-94 08:50:37 GMT", 60), ("Sun Nov  6 08:50:37 1994", 60),
            ("Sat, 05 Nov 1994 08:49:37 GMT", 0), ("Thu, 29 Feb 1996 00:00:00 GMT", 41_440_223),
        ]
    )
    func retryAfters(text: String, seconds: Int64) {
        let answer = DeliveryAnswer(status: 503, retryAfter: text, now: now)
        #expect(answer == .retry(after: .seconds(seconds), reason: .refused(status: 503)))
    }

    @Test(
        "what is no Retry-After is none",
        arguments: [
            "", "-1", "1.5", "soon", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET", "1 2 3 4 5 6 7 8", "Sun, 00 Nov 1994 08:49:37 GMT",
            "Mon, 9223372036854775807 Jan 2030 00:00:00 GMT", "Mon, -9223372036854775808 Jan 2030 00:00:00 GMT",
            "Sun, 06 Nov 9223372036854775807 08:49:37 GMT", "Sun, 06 Nov 1994 9223372036854775807:49:37 GMT",
        ]
    )
    func noRetryAfter(text: String) {
        #expect(
            DeliveryAnswer(status: 429, retryAfter: text, now: now) == .retry(after: nil, reason: .refused(status: 429))
        )
    }

    @Test("the limit of the wait doubles from five seconds to a quarter of an hour, and begins anew after a success")
    func backoff() {
        var schedule = RetrySchedule(random: { 1 })
        let limits = (0..<70).map { _ in schedule.delay(retryAfter: nil) }
        let doubled = [5, 10, 20, 40, 80, 160, 320, 640].map { Duration.seconds($0) }
        #expect(Array(limits.prefix(8)) == doubled)
        #expect(limits.dropFirst(8).allSatisfy { $0 == .seconds(900) })
        schedule.reset()
        #expect(schedule.delay(retryAfter: nil) == .seconds(5))
    }

    @Test("the jitter is full: waits are spread evenly from nothing to the limit")
    func jitter() {
        let waits = (0..<2_000).map { _ in
            var schedule = RetrySchedule()
            for _ in 0..<3 { _ = schedule.delay(retryAfter: nil) }
            return schedule.delay(retryAfter: nil)
        }
        for quarter in 0..<4 {
            let range = Duration.seconds(quarter * 10)..<Duration.seconds(quarter * 10 + 10)
            let share = waits.count { range.contains($0) }
            #expect((400...600).contains(share), "\(quarter): \(share)")
        }
    }

    @Test("nobody comes back before Retry-After, nor all together, and never later than a day and the jitter")
    func honoured() {
        var schedule = RetrySchedule(random: { 0 })
        #expect(schedule.delay(retryAfter: .seconds(120)) == .seconds(120))
        #expect(schedule.delay(retryAfter: .seconds(1_000_000)) == .seconds(86_400))
        schedule = RetrySchedule(random: { 0.5 })
        #expect(schedule.delay(retryAfter: .seconds(120)) == .seconds(122.5))
    }

    @Test(
        "gzip is what an endpoint must have said it takes",
        arguments: [
            ([], false), (["gzip"], true), (["identity"], false), (["br, GZIP"], true), (["gzip;q=0"], false),
            (["gzip; q=0.5"], true), (["br", "x-gzip"], true), (["*"], false), ([""], false), (["gzipped"], false),
        ]
    )
    func codings(values: [String], isTaken: Bool) {
        var gzip = GzipSupport()
        #expect(!gzip.isTaken)
        gzip.learn(from: values)
        #expect(gzip.isTaken == isTaken)
        gzip.learn(from: [])
        #expect(!gzip.isTaken)
        gzip.refuse()
        gzip.learn(from: values)
        #expect(!gzip.isTaken)
    }

    @Test("a body is packed where that is wanted and makes it smaller, and unpacks to the text")
    func bodies() throws {
        let text = Array(String(repeating: "cozy_tenants_count 2\n", count: 20).utf8)
        let packed = RequestBody(text, packed: true)
        #expect(packed.isPacked && packed.bytes.count < text.count)
        #expect(try GzipDecoder.decode(packed.bytes, limit: 1_000) == text)
        #expect(RequestBody(text) == RequestBody(text, packed: false))
        #expect(RequestBody(text).bytes == text)
        #expect(!RequestBody(Array("a 1\n".utf8), packed: true).isPacked)
    }
}
