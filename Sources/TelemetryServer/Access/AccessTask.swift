// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import TelemetryModel

/// An operation with everything that its request says.
enum AccessTask {
    case overview(CalendarMonth)
    case series(ClosedRange<UTCDay>)
    case breakdowns(TelemetryModel.Dimension, Window)
    case insight(InsightQuery)
    case live
    case clusters(CalendarMonth, after: Int, limit: Int, isLines: Bool)
    case erase(Pseudonym)
    case listTokens
    case createToken(NewToken)
    case revokeToken(String)
    case audit(after: Int, limit: Int, isLines: Bool)

    /// What it is done to, where that is only known from the request's body.
    var object: String? {
        switch self {
        case .erase(let pseudonym): "\(pseudonym)"
        case .createToken(let token): token.shown.id
        case .overview, .series, .breakdowns, .insight, .live, .clusters, .listTokens, .revokeToken, .audit: nil
        }
    }

    /// Reads a request.
    ///
    /// - Throws: `Refusal` where it is not well-formed.
    init(
        _ operation: AccessOperation,
        _ request: Request,
        _ pseudonymizer: Pseudonymizer,
        at instant: UTCInstant
    ) async throws {
        switch operation {
        case .live: self = .live
        case .overview: self = .overview(try request.begunMonth(at: instant))
        case .series: self = .series(try request.begunDays(at: instant))
        case .breakdowns(let dimension):
            let month = try request.begunMonth(at: instant)
            self = .breakdowns(dimension, Window(try request.windowLength(), endingWith: month))
        case .insight(let insight): self = .insight(try InsightQuery(insight, request, at: instant))
        case .clusters:
            self = .clusters(
                try request.begunMonth(at: instant),
                after: try request.number("after", in: 0...(.max), default: 0),
                limit: try request.number("limit", in: 1...1_000, default: 100),
                isLines: request.asksForLines
            )
        case .audit:
            self = .audit(
                after: try request.number("after", in: 0...(.max), default: 0),
                limit: try request.number("limit", in: 1...10_000, default: 1_000),
                isLines: request.asksForLines
            )
        case .eraseCluster(let pseudonym): self = .erase(pseudonym)
        case .eraseByID: self = .erase(pseudonymizer.pseudonym(of: try await request.erasedCluster()))
        case .listTokens: self = .listTokens
        case .createToken: self = .createToken(try await request.newToken(at: instant))
        case .revokeToken(let id): self = .revokeToken(id)
        }
    }
}

extension Request {
    /// Whether rows are to be lines of their own.
    fileprivate var asksForLines: Bool { headers[.accept]?.contains("application/x-ndjson") == true }

    /// The cluster that the body `{"cluster_uid": "…"}` names.
    fileprivate func erasedCluster() async throws -> ClusterID {
        struct Body: Decodable {
            let clusterUID: String
            enum CodingKeys: String, CodingKey { case clusterUID = "cluster_uid" }
        }
        guard let cluster = ClusterID(try await body(Body.self).clusterUID) else {
            throw Refusal.badRequest("cluster_uid must be of the form [A-Za-z0-9._-]{1,253}")
        }
        return cluster
    }

    /// The token that the body `{"role": "…", "expires": "90d", "name": "…"}` asks for.
    fileprivate func newToken(at instant: UTCInstant) async throws -> NewToken {
        struct Body: Decodable {
            let role: String
            let expires: String?
            let name: String?
        }
        let asked = try await body(Body.self)
        guard let role = Role(rawValue: asked.role) else {
            throw Refusal.badRequest("there is no such role; there are \(Role.names)")
        }
        guard let lifetime = asked.expires.map(TokenLifetime.init) ?? .standard else {
            throw Refusal.badRequest("expires must be hours or days, such as 12h or 90d, ten years at the most")
        }
        guard asked.name.map(AccessToken.isName) ?? true else {
            throw Refusal.badRequest("name must be 1 to 100 characters on one line")
        }
        return NewToken(role, for: lifetime, name: asked.name, at: instant)
    }

    /// A small JSON body; what it holds is in no error.
    private func body<Value: Decodable>(_ type: Value.Type) async throws -> Value {
        let bytes = try await body.collect(upTo: 4_096)
        guard let value = try? JSONDecoder().decode(type, from: Data(bytes.readableBytesView)) else {
            throw Refusal.badRequest("the body is not the JSON object that this path takes")
        }
        return value
    }
}
