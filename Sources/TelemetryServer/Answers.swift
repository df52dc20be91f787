// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import NIOCore
import NIOHTTP1
import Synchronization
import TelemetryModel

/// Answers to reports; what is the same in all of them is made once a second.
final class Answers: Sendable {
    /// What is made once a second.
    private struct Second {
        let instant: UTCInstant
        let date: String
        let accepted: ByteBuffer
        let lastAccepted: ByteBuffer

        init(_ instant: UTCInstant) {
            self.instant = instant
            date = instant.httpDate
            let fields = Answers.fieldsOfAccepted + [("date", date)]
            let head = "HTTP/1.1 200 OK\r\n" + fields.map { "\($0): \($1)\r\n" }.joined()
            accepted = ByteBuffer(string: head + "\r\n")
            lastAccepted = ByteBuffer(string: head + "connection: close\r\n\r\n")
        }
    }

    /// How reports may be packed, said in the answers to reports (RFC 7694, 3).
    private static let acceptedCodings = "gzip"

    private static let fieldsOfAccepted = [
        ("content-type", "text/plain; charset=utf-8"), ("content-length", "0"), ("accept-encoding", acceptedCodings),
    ]

    /// 400 for what is no HTTP.
    static let malformed = head(.badRequest, [("content-length", "0")], isLast: true)
    /// The sender may go on and send the body.
    static let proceed = HTTPResponseHead(version: .http1_1, status: .continue)

    private let now: @Sendable () -> UTCInstant
    private let second: Mutex<Second>
    /// What browsers are told with a refusal; 200 has nothing in it that they could use.
    private let security: [(String, String)]
    /// The same where pages of other origins may read it.
    private let sharedSecurity: [(String, String)]

    /// Answers by a clock, over TLS or not.
    init(isSecure: Bool = false, now: @escaping @Sendable () -> UTCInstant = UTCInstant.now) {
        self.now = now
        security = SecurityHeaders.all(isSecure: isSecure).map { ($0.name.canonicalName, $0.value) }
        sharedSecurity = SecurityHeaders.all(isSecure: isSecure, isShared: true).map {
            ($0.name.canonicalName, $0.value)
        }
        second = Mutex(Second(now()))
    }

    /// 200 without a body, as it goes to the socket.
    func accepted(isLast: Bool) -> ByteBuffer {
        let second = current
        return isLast ? second.lastAccepted : second.accepted
    }

    /// The head of 200 without a body.
    func acceptedHead() -> HTTPResponseHead {
        Self.head(.ok, Self.fieldsOfAccepted + [("date", current.date)], isLast: false)
    }

    /// The head of a refusal, with the length of its body.
    func refused(_ refusal: Refusal, bodyLength: Int, isLast: Bool) -> HTTPResponseHead {
        var fields = [
            ("content-type", "application/json; charset=utf-8"), ("content-length", "\(bodyLength)"),
            ("date", current.date),
        ]
        // In a 415 the field says that the packing was wrong, and so only the refusal itself has it.
        if refusal.status != .unsupportedMediaType { fields.append(("accept-encoding", Self.acceptedCodings)) }
        return Self.head(
            HTTPResponseStatus(statusCode: refusal.status.code),
            fields + refusal.headers.map { ($0.name.canonicalName, $0.value) }
                + (refusal.headers[.accessControlAllowOrigin] == nil ? security : sharedSecurity),
            isLast: isLast
        )
    }

    private var current: Second {
        let instant = now()
        return second.withLock { second in
            if second.instant != instant { second = Second(instant) }
            return second
        }
    }

    private static func head(
        _ status: HTTPResponseStatus,
        _ fields: [(String, String)],
        isLast: Bool
    ) -> HTTPResponseHead {
        let headers = HTTPHeaders(isLast ? fields + [("connection", "close")] : fields)
        return HTTPResponseHead(version: .http1_1, status: status, headers: headers)
    }
}

extension UTCInstant {
    /// The instant as header fields have it (RFC 9110, 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
    var httpDate: String {
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        // The epoch began on a Thursday; the remainder of a day before it is negative.
        let weekday = weekdays[(day.daysSinceEpoch % 7 + 7) % 7]
        let secondOfDay = secondsSinceEpoch - UTCInstant(startOf: day).secondsSinceEpoch
        func two(_ number: some BinaryInteger) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let time = [secondOfDay / 3_600, secondOfDay / 60 % 60, secondOfDay % 60].map(two).joined(separator: ":")
        return "\(weekday), \(two(day.dayOfMonth)) \(month.label.prefix(3)) \(month.year) \(time) GMT"
    }
}
