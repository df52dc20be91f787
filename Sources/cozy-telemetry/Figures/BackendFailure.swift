// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import TelemetryModel

/// Why a backend did not say what it was asked, and what to do about it.
enum BackendFailure: Error {
    /// Nothing came.
    case silent(BackendAddress, reason: String)
    /// It refused; `reason` are its own words, `retryAfter` the seconds that it wants to be left alone.
    case refused(BackendAddress, status: Int, reason: String?, retryAfter: Int?)
    /// What answers there does not talk like a backend.
    case foreign(BackendAddress, path: String, status: Int)

    /// The failure that an answer other than 200 is.
    init(_ address: BackendAddress, _ path: String, _ head: HTTPClientResponse, said body: Data) {
        let status = Int(head.status.code)
        let reason = (try? JSONDecoder().decode([String: String].self, from: body))?["error"]
        if reason == nil, status < 500, status != 429 {
            self = .foreign(address, path: path, status: status)
        } else {
            let seconds = head.headers.first(name: "Retry-After").flatMap { Int($0) }
            self = .refused(address, status: status, reason: reason?.printable, retryAfter: seconds)
        }
    }

    /// Whom was asked.
    var address: BackendAddress {
        switch self {
        case .silent(let address, _), .refused(let address, _, _, _), .foreign(let address, _, _): address
        }
    }

    /// Whether the same question may be answered in a while.
    var isPassing: Bool {
        switch self {
        case .silent: true
        case .refused(_, let status, _, _): status == 429 || status >= 500
        case .foreign: false
        }
    }

    /// How long to leave it alone before the same question; nil where it did not say.
    var retryAfter: Duration? {
        if case .refused(_, _, _, let seconds?) = self, isPassing { .seconds(seconds) } else { nil }
    }

    /// What is wrong.
    var problem: String {
        switch self {
        case .silent(let address, let reason): "no answer from \(address.base): \(reason)"
        case .refused(let address, let status, let reason, _):
            "\(address.base) answered \(status)\(reason.map { ": \($0)" } ?? "")"
        case .foreign(let address, let path, let status):
            "\(address.base) is no backend that has \(path): it answered \(status == 200 ? "with something else" : "\(status)")"
        }
    }

    /// What to do next.
    var advice: String {
        switch self {
        case .silent(let address, _):
            "start a backend there (cozy-telemetry server), or name another with \(address.setting)"
        case .refused(_, 400, _, _): "leave out --year and --month for the current month, or see --help"
        case .refused(_, 401, _, _):
            "make a token with `cozy-telemetry admin token create --role viewer`, and give it with --token-file"
        case .refused(_, 403, _, _): "give the token of such a role with --token-file"
        case .refused(_, 429, _, let seconds), .refused(_, 503, _, let seconds):
            "try again\(seconds.map { " in \($0) s" } ?? " later")"
        case .refused(_, 500..., _, _): "its log, or that of the proxy before it, says why"
        case .refused(let address, _, _, _), .foreign(let address, _, _):
            address.token == nil
                ? "name the public listener of a backend as new as this (server --listen-addr) with \(address.setting)"
                : "name the private listener of a backend as new as this (server --admin-addr) with \(address.setting)"
        }
    }

    /// How a command ends because of it.
    var command: CommandFailure { .unavailable("\(problem); \(advice)") }

    /// An error of the HTTP client in words.
    static func reason(of error: any Error) -> String {
        switch error {
        case let error as HTTPClientError: error.shortDescription
        case is NIOConnectionError: "nobody listens there"
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case is NIOTooManyBytesError: "the answer is over 16 MB"
        default: "\(error)"
        }
    }
}
