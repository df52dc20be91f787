// SPDX-License-Identifier: Apache-2.0

public import ReportStore
import TelemetryModel

/// Brings everything that a store has of reports to VictoriaMetrics, at the times that they were received.
///
/// What is there already is brought again without changing anything, so that it can be done over.
public struct HistoryExport: Sendable {
    /// How far it is.
    public struct Progress: Sendable {
        /// Clusters that are there.
        public var clusters = 0
        /// Reports that were sent, one for each day that each distinct report was seen on.
        public var reports = 0
        /// Clusters whose rows cannot be read.
        public var damaged = 0
        /// What a later export goes on behind.
        public var position: Int?
        /// Whether everything is there.
        public var isComplete = false
    }

    /// Why it ended before its end.
    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// What is sent is refused for good.
        case refused(status: Int)
        /// It cannot be reached, or does not take anything now.
        case unavailable(reason: String)

        /// What is wrong.
        public var description: String {
            switch self {
            case .refused(let status): "VictoriaMetrics refused reports with the status \(status); is the URL right?"
            case .unavailable(let reason): "VictoriaMetrics does not take reports: \(reason)"
            }
        }
    }

    private let store: ReportStore
    private let target: ImportClient
    private let pause: Duration

    /// So many clusters are read at a time.
    private static let part = 20
    /// So many samples are sent at a time, or those of a report that has more.
    private static let batch = 20_000
    /// So often something is sent that is not taken for now.
    private static let attempts = 5

    /// An export of a store to a target.
    ///
    /// - Parameters:
    ///   - store: The store, which takes no reports meanwhile.
    ///   - target: Where its reports go.
    ///   - pause: How long it waits before the second attempt; then twice as long each time.
    public init(_ store: ReportStore, to target: ImportClient, pause: Duration = .seconds(1)) {
        (self.store, self.target, self.pause) = (store, target, pause)
    }

    /// Sends everything, or until the task is cancelled.
    ///
    /// - Parameters:
    ///   - position: Where an export before ended.
    ///   - progress: Called when more clusters are there.
    /// - Returns: How far it came.
    /// - Throws: `Failure` or `StoreError`.
    public func run(after position: Int?, progress: (Progress) throws -> Void) async throws -> Progress {
        var done = Progress(position: position)
        while !Task.isCancelled {
            let history = try await store.history(after: done.position, clusters: Self.part)
            var (batch, samples) = ([AcceptedReport](), 0)
            for report in history.reports {
                batch.append(report)
                samples += report.report.samples.count
                guard samples >= Self.batch else { continue }
                try await send(ImportBatch(batch))
                (batch, samples) = ([], 0)
            }
            if !batch.isEmpty { try await send(ImportBatch(batch)) }
            done.clusters += history.clusters
            done.reports += history.reports.count
            done.damaged += history.damaged
            done.position = history.next ?? done.position
            done.isComplete = history.next == nil
            try progress(done)
            if done.isComplete { break }
        }
        return done
    }

    private func send(_ batch: ImportBatch) async throws {
        for attempt in 1... {
            switch await target.send(batch) {
            case .imported: return
            case .refused(let status): throw Failure.refused(status: status)
            case .retry(let reason, _):
                guard attempt < Self.attempts else { throw Failure.unavailable(reason: reason) }
                // Nobody tells when it takes something again.
                try await Task.sleep(for: pause * (1 << (attempt - 1)))
            }
        }
    }
}
