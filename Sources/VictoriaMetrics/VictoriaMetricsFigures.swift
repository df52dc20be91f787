// SPDX-License-Identifier: Apache-2.0

public import Logging
public import Metrics
import Synchronization
public import TelemetryModel

/// The distributed engine: the figures from what backends sent on to VictoriaMetrics.
///
/// Numbers are those of the embedded engine up to 2⁵³, beyond which VictoriaMetrics counts in 53 bits. What was last is told by
/// the time of receipt.
public final class VictoriaMetricsFigures: FigureSource {
    /// For how long answers are kept.
    public struct Lifetimes: Sendable {
        /// Of windows and days that may still change.
        public var running = Duration.seconds(120)
        /// A window is over where its end is so many days behind: so long reports may wait to be sent on.
        public var settling = 8

        /// The usual ones.
        public init() {}
    }

    private enum Question: Hashable {
        case totals(Window)
        case days(ClosedRange<UTCDay>)
        case breakdown(Dimension, Window)
        case dayBreakdown(Dimension, ClosedRange<UTCDay>)
        case firstDay
    }

    private enum Answer {
        case totals(WindowTotals)
        case days([DayTotals])
        case breakdown([String: Breakdown])
        case dayBreakdown([[String: Int]])
        case firstDay(UTCDay?)
    }

    private let client: QueryClient
    private let lifetimes: Lifetimes
    private let now: @Sendable () -> UTCInstant
    private let cache = AnswerCache<Question, Answer>(capacity: 2_000)
    private let turns: Turns
    private let logger: Logger
    private let asked: Counter
    private let failed: Counter
    private let isFailing = Mutex(false)
    private let firstDay = Mutex<UTCDay?>(nil)

    /// Figures from where a client asks.
    ///
    /// - Parameters:
    ///   - client: What asks.
    ///   - lifetimes: For how long answers are kept.
    ///   - queries: So many queries run at a time.
    ///   - metrics: Where queries are counted.
    ///   - logger: Where it says that they fail, and do not any more.
    ///   - now: The clock.
    public init(
        _ client: QueryClient,
        lifetimes: Lifetimes = Lifetimes(),
        queries: Int = 4,
        metrics: any MetricsFactory,
        logger: Logger,
        now: @escaping @Sendable () -> UTCInstant = UTCInstant.now
    ) {
        self.client = client
        self.lifetimes = lifetimes
        self.now = now
        self.logger = logger
        turns = Turns(queries)
        asked = Counter(label: "telemetry_figure_queries", factory: metrics)
        failed = Counter(label: "telemetry_figure_queries_failed", factory: metrics)
    }

    /// The totals of windows; where the storage has nothing of a window's beginning, they say so.
    ///
    /// - Throws: `FiguresUnavailable`.
    public func totals(of windows: [Window]) async throws -> [Window: WindowTotals] {
        try await each(windows) { [self] window in
            guard case .totals(let totals) = try await answer(.totals(window)) else { return nil }
            return totals
        }
    }

    /// The totals of days, one after the other.
    ///
    /// - Throws: `FiguresUnavailable`.
    public func totals(on days: ClosedRange<UTCDay>) async throws -> [DayTotals] {
        guard case .days(let totals) = try await answer(.days(days)) else { return [] }
        return totals
    }

    /// How many clusters reported each value of a dimension in windows, and how many have it in their last report.
    ///
    /// - Throws: `FiguresUnavailable`.
    public func breakdowns(
        by dimension: Dimension,
        in windows: [Window]
    ) async throws -> [Window: [String: Breakdown]] {
        try await each(windows) { [self] window in
            guard case .breakdown(let values) = try await answer(.breakdown(dimension, window)) else { return nil }
            return values
        }
    }

    /// How many clusters reported each value of a dimension on days, one after the other.
    ///
    /// - Throws: `FiguresUnavailable`.
    public func breakdowns(
        by dimension: Dimension,
        on days: ClosedRange<UTCDay>
    ) async throws -> [(day: UTCDay, clusters: [String: Int])] {
        guard case .dayBreakdown(let values) = try await answer(.dayBreakdown(dimension, days)) else { return [] }
        return Array(zip(days.all, values)).map { ($0, $1) }
    }

    /// Forgets what was answered, as where a cluster was erased.
    public func forget() { cache.forget() }

    private func each<Value: Sendable>(
        _ windows: [Window],
        _ value: @escaping @Sendable (Window) async throws -> Value?
    ) async throws -> [Window: Value] {
        try await withThrowingTaskGroup(of: (Window, Value?).self) { group in
            for window in Set(windows) { group.addTask { (window, try await value(window)) } }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }
}

// MARK: - Asking

extension VictoriaMetricsFigures {
    private func answer(_ question: Question) async throws -> Answer {
        // What is under way goes on without whoever asked for it.
        try await cache.answer(to: question, for: { self.lifetime(of: $0, to: question) }) { [self] in
            try await ask(question)
        }
    }

    /// For how long an answer is kept; nil for good.
    private func lifetime(of answer: Answer, to question: Question) -> Duration? {
        let window: Window
        // What the storage has nothing or only a part of may be brought there yet.
        switch (question, answer) {
        case (.totals(let asked), .totals(let totals)) where totals.dataSince == nil && !totals.all.isEmpty:
            window = asked
        case (.breakdown(_, let asked), .breakdown(let values)) where !values.isEmpty: window = asked
        case (.totals, .totals(let totals)) where totals.all.isEmpty: return .zero
        case (.breakdown, .breakdown(let values)) where values.isEmpty: return .zero
        default: return lifetimes.running
        }
        let isOver = window.end.lastDay.daysSinceEpoch + lifetimes.settling < now().day.daysSinceEpoch
        return isOver ? nil : lifetimes.running
    }

    private func ask(_ question: Question) async throws -> Answer {
        switch question {
        case .totals(let window): return .totals(try await askTotals(window))
        case .days(let days): return .days(try await askTotals(days))
        case .breakdown(let dimension, let window): return .breakdown(try await askBreakdown(dimension, window))
        case .dayBreakdown(let dimension, let days):
            let span = QuerySpan(days)
            let series = try await evaluate(FigureQuery.clusters(by: dimension, span), span)
            return .dayBreakdown(
                (0..<span.count).map { number in
                    Self.byValue(series, number).mapValues { Int(clamping: $0) }
                }
            )
        case .firstDay:
            // The end of today, as any span would do.
            let today = now().day
            let first = try await evaluate(FigureQuery.firstSample, QuerySpan(today...today)).first?.values[0]
            let day = first.map { UTCInstant(secondsSinceEpoch: Int64($0)).day }
            // Where there is a history that was not there before, what was answered was not whole.
            let isNews = firstDay.withLock { known in
                defer { known = day }
                return known != nil && (day ?? .distantFuture) < (known ?? .distantFuture)
            }
            if isNews { cache.forget() }
            return .firstDay(day)
        }
    }

    private func askTotals(_ window: Window) async throws -> WindowTotals {
        let firstDay = try await firstDayWithData()
        let dataSince = firstDay.flatMap { $0 > window.start.firstDay ? $0 : nil }
        guard let firstDay, firstDay <= window.end.lastDay else {
            return WindowTotals(window: window, all: [:], established: [:], dataSince: dataSince)
        }
        let span = QuerySpan(window)
        async let all = evaluate(FigureQuery.totals(span), span)
        async let established = evaluate(FigureQuery.establishedTotals(span), span)
        return WindowTotals(
            window: window,
            all: Self.byFigure(try await all, 0),
            established: Self.byFigure(try await established, 0),
            dataSince: dataSince
        )
    }

    /// The first day that there is any data of: what ended before it has nothing, and need not be asked for.
    private func firstDayWithData() async throws -> UTCDay? {
        guard case .firstDay(let day) = try await answer(.firstDay) else { preconditionFailure("asked for a day") }
        return day
    }

    private func askTotals(_ days: ClosedRange<UTCDay>) async throws -> [DayTotals] {
        let span = QuerySpan(days)
        async let all = evaluate(FigureQuery.totals(span), span)
        async let established = evaluate(FigureQuery.establishedTotals(span), span)
        let (allSeries, establishedSeries) = (try await all, try await established)
        return days.all.enumerated().map { number, day in
            DayTotals(
                day: day,
                all: Self.byFigure(allSeries, number),
                established: Self.byFigure(establishedSeries, number)
            )
        }
    }

    private func askBreakdown(_ dimension: Dimension, _ window: Window) async throws -> [String: Breakdown] {
        guard let firstDay = try await firstDayWithData(), firstDay <= window.end.lastDay else { return [:] }
        let span = QuerySpan(window)
        async let all = evaluate(FigureQuery.clusters(by: dimension, span), span)
        async let atEnd = evaluate(FigureQuery.clustersAtEnd(by: dimension, span), span)
        var counts: [String: Breakdown] = [:]
        for (value, count) in Self.byValue(try await all, 0) {
            counts[value, default: Breakdown()].clusters = Int(clamping: count)
        }
        for (value, count) in Self.byValue(try await atEnd, 0) {
            counts[value, default: Breakdown()].clustersAtEnd = Int(clamping: count)
        }
        return counts
    }

    private func evaluate(_ expression: String, _ span: QuerySpan) async throws -> [QueryClient.Series] {
        try await turns.take {
            asked.increment()
            do throws(FiguresUnavailable) {
                let series = try await client.evaluate(expression, span)
                tell(nil)
                return series
            } catch {
                // What is cut off has not failed.
                guard !Task.isCancelled else { throw error }
                failed.increment()
                tell(error)
                throw error
            }
        }
    }

    /// Says that queries fail, and that they do not any more, once each.
    private func tell(_ error: FiguresUnavailable?) {
        let isNews = isFailing.withLock { isFailing in
            defer { isFailing = error != nil }
            return isFailing != (error != nil)
        }
        guard isNews else { return }
        if let error {
            logger.error("figures cannot be read from VictoriaMetrics", metadata: ["reason": "\(error.reason)"])
        } else {
            logger.notice("figures are read from VictoriaMetrics again")
        }
    }

    private static func byFigure(_ series: [QueryClient.Series], _ number: Int) -> [Figure: Int64] {
        series.reduce(into: [:]) { figures, series in
            if let figure = Figure(labels: series.labels), let value = series.values[number] {
                figures[figure] = Int64(rounding: value)
            }
        }
    }

    private static func byValue(_ series: [QueryClient.Series], _ number: Int) -> [String: Int64] {
        series.reduce(into: [:]) { counts, series in
            if let name = series.labels["value"], let value = series.values[number] {
                counts[name] = Int64(rounding: value)
            }
        }
    }
}

extension UTCDay {
    fileprivate static let distantFuture = UTCDay(daysSinceEpoch: .max)
}

extension Int64 {
    /// The nearest whole number, or the largest there is.
    fileprivate init(rounding number: Double) {
        self = Int64(exactly: number.rounded()) ?? (number < 0 ? .min : .max)
    }
}

/// Lets so many through at a time.
private final class Turns: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(_ count: Int) {
        state = Mutex(State(free: count))
    }

    func take<Value: Sendable>(_ body: @Sendable () async throws -> Value) async rethrows -> Value {
        await withCheckedContinuation { continuation in
            let goesOn = state.withLock { state in
                guard state.free > 0 else {
                    state.waiting.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if goesOn { continuation.resume() }
        }
        defer {
            let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard !state.waiting.isEmpty else {
                    state.free += 1
                    return nil
                }
                return state.waiting.removeFirst()
            }
            next?.resume()
        }
        return try await body()
    }
}
