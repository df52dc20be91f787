// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import TelemetryModel

/// What came of one attempt to send a report, and so what to do next.
public enum DeliveryAnswer: Equatable, Sendable {
    /// 200: it was taken.
    case accepted
    /// Another status that trying again does not change.
    case refused(status: Int)
    /// It may be taken later; not before the duration, where the endpoint named one.
    case retry(after: Duration?, reason: AgentError)

    /// The answer that a status is.
    ///
    /// - Parameters:
    ///   - status: The status.
    ///   - retryAfter: The value of `Retry-After`; nil where there is none.
    ///   - now: What time it is where the answer comes from.
    init(status: Int, retryAfter: String? = nil, now: UTCInstant) {
        switch status {
        case 200: self = .accepted
        case 408, 425, 429, 500...:
            self = .retry(
                after: retryAfter.flatMap { duration(ofRetryAfter: $0, now: now) },
                reason: .refused(status: status)
            )
        // Redirects too: a report goes to nobody whom its owner does not know.
        default: self = .refused(status: status)
        }
    }

    /// The answer that a failure to get one is, in words without addresses.
    init(failure error: any Error) {
        self = .retry(after: nil, reason: .undeliverable(reason: Self.reason(of: error)))
    }

    /// No answer came in time.
    static let late = Self.retry(after: nil, reason: .undeliverable(reason: "no answer in time"))

    /// Whoever sends it was told to stop before there was an answer.
    static let cutOff = Self.retry(after: nil, reason: .undeliverable(reason: "it was cut off"))

    /// Why it was not taken, in words without addresses; nil where it was.
    public var failure: AgentError? {
        switch self {
        case .accepted: nil
        case .refused(let status): .refused(status: status)
        case .retry(_, let reason): reason
        }
    }

    private static func reason(of error: any Error) -> String {
        switch error {
        case let error as HTTPClientError: reason(of: error)
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { reason(of: $0.error) } ?? "its name is not known"
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case ChannelError.connectTimeout: "no connection in time"
        case HTTPParserError.invalidEOFState: "the connection was closed without an answer"
        case is HTTPParserError: "what answers is not HTTP"
        case is NIOSSLExtraError: "its certificate is for another name"
        case is NIOSSLError, is BoringSSLError: "TLS: \(tlsReason("\(error)"))"
        // What other errors say may hold what was sent.
        default: "the connection failed (\(type(of: error)))"
        }
    }

    private static func reason(of error: HTTPClientError) -> String {
        switch error {
        case .connectTimeout, .tlsHandshakeTimeout, .httpProxyHandshakeTimeout: "no connection in time"
        case .proxyAuthenticationRequired: "the proxy does not take the credentials (407)"
        case .invalidProxyResponse: "the proxy does not connect to it"
        case .remoteConnectionClosed: "the connection was closed without an answer"
        default: error.shortDescription
        }
    }

    /// The words for what the TLS library says in capitals.
    private static func tlsReason(_ text: String) -> String {
        let reasons = [
            ("CERTIFICATE_VERIFY_FAILED", "its certificate is of no authority that is trusted here; see --ca-file"),
            ("CERTIFICATE_REQUIRED", "it wants a client certificate; see --client-cert"),
            ("BAD_CERTIFICATE", "it does not take the client certificate"),
            ("UNKNOWN_CA", "it does not know who signed the client certificate"),
            ("WRONG_VERSION_NUMBER", "what answers does not speak TLS"),
            ("UNSUPPORTED_PROTOCOL", "it speaks no version from 1.2 on"),
            ("PROTOCOL_VERSION", "it speaks no version from 1.2 on"),
        ]
        return reasons.first { text.contains($0.0) }?.1 ?? "the handshake failed"
    }
}
