// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle
import Synchronization
import TelemetryModel

/// Answers `GET /v1/live`: a line of JSON whenever the numbers of the running month have moved, once a second at the most.
///
/// It ends after five minutes, so that whoever listens shows again that they may.
struct LiveFeed: Sendable {
    /// The numbers at a moment.
    struct Line: Encodable, Equatable {
        var at: String
        /// Clusters, nodes and tenants of the running month; nil where there are no figures here.
        var clusters: Int64?
        var nodes: Int64?
        var tenants: Int64?
        /// Reports that were taken since the start.
        var accepted: Int
        /// Those of them that said something new.
        var changed: Int
        /// Reports that were refused since the start.
        var refused: Int
    }

    /// Where figures are read; nil where there are none here.
    let figures: (any FigureSource)?
    let registry: MetricsRegistry
    let now: @Sendable () -> UTCInstant
    /// How many listen.
    private let listeners = Count()
    /// How long to wait between two looks.
    var pause = Duration.seconds(1)
    /// So many looks later a line is sent although nothing moved, so that a connection that is gone is noticed.
    var looksUntilSignOfLife = 15
    /// So many looks there are.
    var looks = 300

    /// So many listen at the most, so that there is room for others on the listener.
    static let mostListeners = 32

    /// The lines, as they come.
    ///
    /// - Throws: `Refusal` with 429 where too many listen.
    func response() throws(Refusal) -> Response {
        guard listeners.value < Self.mostListeners else { throw .tooManyListeners }
        return Response(
            status: .ok,
            // A proxy is not to hold small lines back.
            headers: [.contentType: "application/x-ndjson", Self.unbuffered: "no"],
            body: ResponseBody { writer in
                listeners.add(1)
                defer { listeners.add(-1) }
                try await run { line in
                    var buffer = try ByteBuffer(json: line)
                    buffer.writeString("\n")
                    try await writer.write(buffer)
                }
                try await writer.finish(nil)
            }
        )
    }

    private static let unbuffered: HTTPField.Name = {
        guard let name = HTTPField.Name("X-Accel-Buffering") else { preconditionFailure("a constant name") }
        return name
    }()

    /// A number that whoever listens changes.
    private final class Count: Sendable {
        private let number = Mutex(0)
        var value: Int { number.withLock { $0 } }

        func add(_ difference: Int) { number.withLock { $0 += difference } }
    }

    /// Gives lines until it was looked often enough, or the backend stops.
    func run(_ take: (Line) async throws -> Void) async throws {
        var last: Line?
        var quiet = 0
        for _ in 0..<looks where !Task.isShuttingDownGracefully {
            quiet += 1
            if moved(since: last) || quiet >= looksUntilSignOfLife {
                let line = try await line()
                try await take(line)
                (last, quiet) = (line, 0)
            }
            // No line comes sooner, however fast reports do.
            try await Task.sleep(for: pause)
        }
    }

    /// Whether reports came since a line; a look at the figures for each second that nothing came would be in vain.
    private func moved(since line: Line?) -> Bool {
        guard let line else { return true }
        return (accepted, refused) != (line.accepted, line.refused)
    }

    private func line() async throws -> Line {
        let instant = now()
        // Counted before the figures are read, so that what comes meanwhile is in another line.
        let counted = (accepted, registry.sum(of: "telemetry_reports_accepted_total", where: ["state": "new"]), refused)
        let window = Window(.month, endingWith: instant.month)
        let totals = try await figures?.totals(of: [window])[window]?.all
        return Line(
            at: instant.rfc3339,
            clusters: totals.map { $0[.clusters] ?? 0 },
            nodes: totals.map { $0[.nodes] ?? 0 },
            tenants: totals.map { $0[.tenants] ?? 0 },
            accepted: counted.0,
            changed: counted.1,
            refused: counted.2
        )
    }

    private var accepted: Int { registry.sum(of: "telemetry_reports_accepted_total") }

    private var refused: Int { registry.sum(of: "telemetry_reports_refused_total") }
}

extension MetricsRegistry {
    /// The numbers of a counter or gauge added up, of those series that have all of some labels.
    func sum(of name: String, where labels: [String: String] = [:]) -> Int {
        counts(of: name).reduce(0) { sum, series in
            labels.allSatisfy { series.labels[$0.key] == $0.value } ? sum + series.count : sum
        }
    }
}
