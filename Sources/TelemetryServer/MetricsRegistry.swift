// SPDX-License-Identifier: Apache-2.0

public import CoreMetrics
import Exposition
import Synchronization

/// A backend for swift-metrics that `/metrics` reads: counters, gauges, and histograms for durations and sizes.
///
/// A metric is known by its label and its dimensions; asking for it again gives the same one. Dimensions must come from a
/// closed set, as nothing is ever forgotten.
public final class MetricsRegistry: MetricsFactory {
    /// What a series is known by.
    private struct Key: Hashable, Comparable {
        let name: String
        let labels: [Label]

        static func < (left: Self, right: Self) -> Bool {
            guard left.name == right.name else { return left.name < right.name }
            return left.labels.map(\.value).lexicographicallyPrecedes(right.labels.map(\.value))
        }
    }

    private let series = Mutex<[Key: MetricCell]>([:])

    /// An empty registry.
    public init() {}

    /// Everything that was counted, in the exposition format 0.0.4, ordered by name and labels.
    public func text() -> String {
        let snapshot = series.withLock { series in series.map { ($0.key, $0.value) } }.sorted { $0.0 < $1.0 }
        var writer = ExpositionWriter()
        do {
            var previous: String?
            for (key, cell) in snapshot {
                if previous != key.name { try writer.type(name: key.name, cell.kind.type) }
                previous = key.name
                try cell.write(key.name, key.labels, to: &writer)
            }
        } catch {
            preconditionFailure("names are made legal when a metric is made: \(error)")
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// The numbers of a counter or gauge, one for each set of labels; none where there is no such metric.
    func counts(of name: String) -> [(labels: [String: String], count: Int)] {
        series.withLock { series in
            series.compactMap { key, cell in
                guard key.name == name, let number = cell.number else { return nil }
                let labels = Dictionary(key.labels.map { ($0.name, $0.value) }) { $1 }
                return (labels, Int(number))
            }
        }
    }

    private func cell(_ label: String, _ dimensions: [(String, String)], _ kind: MetricCell.Kind) -> MetricCell {
        let labels = dimensions.map { Label(name: Self.legal($0.0), value: $0.1) }.sorted { $0.name < $1.name }
        let suffix = kind == .counter && !label.hasSuffix("_total") ? "_total" : ""
        let key = Key(name: Self.legal(label) + suffix, labels: labels)
        return series.withLock { series in
            if let cell = series[key] { return cell }
            let cell = MetricCell(kind)
            series[key] = cell
            return cell
        }
    }

    /// A name with what a metric may not have replaced by `_`.
    private static func legal(_ name: String) -> String {
        let legal = name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
        return legal.first?.isNumber ?? true ? "_" + String(legal) : String(legal)
    }

    /// A number that only grows.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        cell(label, dimensions, .counter)
    }

    /// A number that only grows, by fractions too.
    public func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        cell(label, dimensions, .counter)
    }

    /// A number that goes up and down.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        cell(label, dimensions, .gauge)
    }

    /// A histogram of numbers of things, or the last number where nothing is aggregated.
    public func makeRecorder(
        label: String,
        dimensions: [(String, String)],
        aggregate: Bool
    ) -> any RecorderHandler {
        cell(label, dimensions, aggregate ? .histogram(MetricCell.sizes) : .gauge)
    }

    /// A histogram of seconds.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        cell(label, dimensions, .histogram(MetricCell.seconds))
    }

    /// Does nothing: what was counted stays counted.
    public func destroyCounter(_ handler: any CounterHandler) {}
    /// Does nothing: what was counted stays counted.
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    /// Does nothing: what was counted stays counted.
    public func destroyMeter(_ handler: any MeterHandler) {}
    /// Does nothing: what was counted stays counted.
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    /// Does nothing: what was counted stays counted.
    public func destroyTimer(_ handler: any TimerHandler) {}
}
