// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ReportStore
import TelemetryModel

/// `/v1/…` of the private listener: what those who have a role may see and do.
struct AccessEndpoint: Sendable {
    let store: ReportStore
    /// Where figures are read; nil where there are none here.
    let figures: (any FigureSource)?
    let insights: InsightEndpoint
    let live: LiveFeed
    let pseudonymizer: Pseudonymizer
    let gate: AccessGate
    let now: @Sendable () -> UTCInstant
    let logger: Logger

    /// Answers a request, once who asks may and that is written down.
    func answer(_ request: Request) async throws -> Response {
        do {
            let task = try await gate.admit(request) { operation in
                try await AccessTask(operation, request, pseudonymizer, at: now())
            }
            var response = try await perform(task)
            response.headers[.cacheControl] = "no-store"
            return response
        } catch let error as AccessError {
            logger.error("access cannot be decided or written down", metadata: ["reason": "\(error)"])
            throw error
        }
    }

    private func perform(_ task: AccessTask) async throws -> Response {
        switch task {
        case .overview(let month):
            let endpoint = OverviewEndpoint(figures: try readable(), anonymityThreshold: 1, now: now)
            return try .json(await endpoint.overview(of: month))
        case .series(let days): return try .json(SeriesAnswer(await readable().totals(on: days)))
        case .breakdowns(let dimension, let window):
            let values = try await readable().breakdowns(by: dimension, in: [window])[window] ?? [:]
            return try .json(WholeBreakdown(by: dimension, in: window, values))
        case .insight(let query): return try await insights.answer(query)
        case .live: return try live.response()
        case .clusters(let month, let position, let limit, let isLines):
            let page = try await store.clusters(in: month, after: position, limit: limit)
            return try Self.answer(page, month, limit: limit, isLines: isLines)
        case .erase(let pseudonym): return try .json(await store.erase(pseudonym) ?? .nothing)
        case .listTokens:
            return try .json(
                TokenListAnswer(tokens: await gate.withFiles { tokens, _ in try tokens.all().map(\.shown) })
            )
        case .createToken(let token):
            try await gate.withFiles { tokens, _ in try tokens.add(token) }
            return try .json(NewTokenAnswer(token), status: .created)
        case .revokeToken(let id):
            let instant = now()
            guard let token = try await gate.withFiles({ tokens, _ in try tokens.revoke(id, at: instant) }) else {
                throw Refusal(status: .notFound, message: "there is no token of this number")
            }
            return try .json(token.shown)
        case .audit(let sequence, let limit, let isLines):
            let lines = try await gate.auditLines(after: sequence, limit: limit)
            return Self.answer(lines, after: sequence, limit: limit, isLines: isLines)
        }
    }

    /// Where figures are read.
    private func readable() throws(Refusal) -> any FigureSource {
        guard let figures else { throw .noFigures }
        return figures
    }

    private static func answer(
        _ page: ClusterPage,
        _ month: CalendarMonth,
        limit: Int,
        isLines: Bool
    ) throws -> Response {
        let rows = page.rows.map { ClusterAnswer($0, in: month) }
        guard isLines else {
            return try .json(ClusterPageAnswer(clusters: rows, damaged: page.damagedClusters, next: page.next))
        }
        let next = page.next.map {
            "/v1/clusters?year=\(month.year)&month=\(month.month)&limit=\(limit)&after=\($0)"
        }
        return .lines(try rows.map { try ByteBuffer(json: $0) }, next: next)
    }

    /// Lines of the log as they stand there, so that their hashes can be looked at.
    private static func answer(_ lines: [String], after sequence: Int, limit: Int, isLines: Bool) -> Response {
        let next = lines.count < limit ? nil : sequence + limit
        if isLines {
            return .lines(
                lines.map { ByteBuffer(string: $0) },
                next: next.map { "/v1/audit?limit=\(limit)&after=\($0)" }
            )
        }
        let document = "{\"entries\":[\(lines.joined(separator: ","))],\"next\":\(next.map { "\($0)" } ?? "null")}"
        return .json(ByteBuffer(string: document), status: .ok)
    }
}
