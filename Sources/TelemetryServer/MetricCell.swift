// SPDX-License-Identifier: Apache-2.0

import CoreMetrics
import Exposition
import Synchronization

/// One series of the registry: a number, or a histogram of numbers.
final class MetricCell: Sendable {
    /// How numbers come together.
    enum Kind: Equatable {
        case counter
        case gauge
        /// The upper bounds of the buckets, ascending.
        case histogram([Double])

        /// The type that the exposition format has for it.
        var type: MetricType {
            switch self {
            case .counter: .counter
            case .gauge: .gauge
            case .histogram: .histogram
            }
        }
    }

    /// Bounds for durations in seconds.
    static let seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    /// Bounds for numbers of things.
    static let sizes: [Double] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000]

    let kind: Kind
    private let state: Mutex<State>

    private struct State {
        /// The number, or the sum of a histogram.
        var value = 0.0
        var count = 0
        var buckets: [Int]
    }

    init(_ kind: Kind) {
        self.kind = kind
        let bounds = if case .histogram(let bounds) = kind { bounds.count } else { 0 }
        state = Mutex(State(buckets: Array(repeating: 0, count: bounds)))
    }

    /// The number; nil of a histogram.
    var number: Double? {
        if case .histogram = kind { return nil }
        return state.withLock { $0.value }
    }

    /// Writes the series.
    func write(_ name: String, _ labels: [Label], to writer: inout ExpositionWriter) throws(ExpositionError) {
        let state = state.withLock { $0 }
        guard case .histogram(let bounds) = kind else {
            try writer.sample(name: name, labels: labels, value: state.value)
            return
        }
        var cumulative = 0
        for (bound, count) in zip(bounds, state.buckets) {
            cumulative += count
            let labels = labels + [Label(name: "le", value: "\(bound)")]
            try writer.sample(name: name + "_bucket", labels: labels, value: Double(cumulative))
        }
        try writer.sample(
            name: name + "_bucket",
            labels: labels + [Label(name: "le", value: "+Inf")],
            value: Double(state.count)
        )
        try writer.sample(name: name + "_sum", labels: labels, value: state.value)
        try writer.sample(name: name + "_count", labels: labels, value: Double(state.count))
    }

    private func add(_ amount: Double) {
        state.withLock { $0.value += amount }
    }

    private func set(to value: Double) {
        state.withLock { $0.value = value }
    }

    private func observe(_ value: Double, in bounds: [Double]) {
        state.withLock { state in
            state.value += value
            state.count += 1
            if let bucket = bounds.firstIndex(where: { value <= $0 }) { state.buckets[bucket] += 1 }
        }
    }
}

extension MetricCell: CounterHandler, FloatingPointCounterHandler {
    func increment(by amount: Int64) { add(Double(amount)) }
    func increment(by amount: Double) { add(amount) }
    func reset() { set(to: 0) }
}

extension MetricCell: MeterHandler {
    func set(_ value: Int64) { set(to: Double(value)) }
    func set(_ value: Double) { set(to: value) }
    func decrement(by amount: Double) { add(-amount) }
}

extension MetricCell: RecorderHandler, TimerHandler {
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        if case .histogram(let bounds) = kind { observe(value, in: bounds) } else { set(to: value) }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
}
