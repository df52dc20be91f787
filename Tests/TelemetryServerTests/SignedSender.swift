// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import TelemetryModel

@testable import TelemetryServer

/// A cluster that signs what it sends.
struct SignedSender {
    let key = ClusterKey()

    /// What a report of it has in its head.
    func headers(
        _ body: [UInt8],
        at instant: UTCInstant,
        method: String = "POST",
        path: String = "/",
        tag: MessageSignature.Tag = .report
    ) throws -> HTTPHeaders {
        let nonce = (0..<16).map { _ in UInt8.random(in: 0...255) }
        let signed = try key.signedHeaders(
            method: method,
            path: path,
            body: body,
            at: instant,
            nonce: nonce,
            tag: tag
        )
        return HTTPHeaders(signed.map { ($0.name, $0.value) } + [("Content-Type", "text/plain")])
    }
}

extension RunningTestBackend {
    /// Asks for the erasure of a cluster with exactly these header fields.
    func erase(_ headers: HTTPHeaders, body: [UInt8] = []) async throws -> Answer {
        var request = HTTPClientRequest(url: url + ClusterEndpoint.path)
        request.method = .DELETE
        request.headers = headers
        if !body.isEmpty { request.body = .bytes(body) }
        return try await answer(to: request)
    }
}
