// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import ServiceLifecycle
import TelemetryModel

/// The public breakdowns of the windows that still change, as they were when the UTC day began.
///
/// They are kept in a file of the data directory, so that a restart does not make others of the same day. Until one can be made
/// there is none, rather than one that is newer than it should be.
actor PublishedBreakdowns: ServiceLifecycle.Service {
    /// The public breakdowns of a day.
    private struct Edition: Codable {
        let day: Int
        let threshold: Int
        /// By length and last month of the window, and by dimension.
        var breakdowns: [String: [String: PublicBreakdown]] = [:]
    }

    /// The name of the file.
    static let fileName = "published-breakdowns.json"

    private let figures: any FigureSource
    private let threshold: Int
    private let path: String
    private let now: @Sendable () -> UTCInstant
    private let logger: Logger
    private var edition: Edition?
    /// Where it could not be made, it is tried again once a minute, and not by everybody who asks.
    private var isFailing = false
    private var making: Task<Void, Never>?

    /// - Parameters:
    ///   - figures: Where they are read.
    ///   - threshold: *k*.
    ///   - directory: The data directory.
    ///   - now: The clock.
    ///   - logger: Where failures are said.
    init(
        figures: any FigureSource,
        threshold: Int,
        directory: String,
        now: @escaping @Sendable () -> UTCInstant,
        logger: Logger
    ) {
        self.figures = figures
        self.threshold = threshold
        path = directory + "/" + Self.fileName
        self.now = now
        self.logger = logger
    }

    /// Makes the edition of each day, until graceful shutdown.
    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                while true {
                    await self.renew()
                    // A clock that is set tells nobody, so that no later time can be waited for.
                    try await Task.sleep(for: .seconds(60))
                }
            }
        } catch is CancellationError {
            return
        }
    }

    /// The public breakdowns by a dimension of windows, and the day that they are of; nil where there are none yet.
    ///
    /// - Throws: What reading them throws.
    func breakdowns(
        by dimension: TelemetryModel.Dimension,
        in windows: [Window]
    ) async throws -> (day: UTCDay, [Window: PublicBreakdown])? {
        if !isFailing { await renew() }
        guard let edition else { return nil }
        let day = UTCDay(daysSinceEpoch: edition.day)
        // No report can be of a month that has been over for longer.
        let border = min(day.month, now().month) - 1
        var result: [Window: PublicBreakdown] = [:]
        for window in windows where window.end >= border {
            // An edition of another month does not have it, and none is not nothing.
            guard let values = edition.breakdowns[Self.key(window)] else { return nil }
            result[window] = values[dimension.rawValue] ?? PublicBreakdown([:], threshold: threshold)
        }
        let finished = windows.filter { $0.end < border }
        if finished.isEmpty { return (day, result) }
        for (window, counts) in try await figures.breakdowns(by: dimension, in: finished) {
            result[window] = PublicBreakdown(counts, threshold: threshold)
        }
        return (day, result)
    }

    /// Makes the edition of today, where there is none; once, whoever asks for it meanwhile.
    private func renew() async {
        // What is being made may be of a day that is over by now.
        while let making { await making.value }
        let task = Task {
            await makeToday()
            making = nil
        }
        making = task
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func makeToday() async {
        let today = now().day
        do {
            if edition == nil { edition = try read() }
            // A clock that was set back does not make a second edition of a day.
            if let edition, edition.day >= today.daysSinceEpoch, edition.threshold == threshold {
                isFailing = false
                return
            }
            let new = try await make(on: today)
            // On disk before anybody is told of it, so that no power failure brings another edition of the day.
            try AccessFile.replace(path, with: Array(try JSONEncoder().encode(new)))
            edition = new
            isFailing = false
        } catch {
            // What is cut off by the end of the process has not failed.
            if Task.isCancelled { return }
            if !isFailing {
                logger.error("the public breakdowns of the day cannot be made", metadata: ["reason": "\(error)"])
            }
            isFailing = true
        }
    }

    private func make(on day: UTCDay) async throws -> Edition {
        let windows = [day.month - 1, day.month].flatMap { month in
            Window.Length.allCases.map { Window($0, endingWith: month) }
        }
        var edition = Edition(day: day.daysSinceEpoch, threshold: threshold)
        for window in windows { edition.breakdowns[Self.key(window)] = [:] }
        for dimension in TelemetryModel.Dimension.allCases {
            for (window, counts) in try await figures.breakdowns(by: dimension, in: windows) {
                let breakdown = PublicBreakdown(counts, threshold: threshold)
                edition.breakdowns[Self.key(window), default: [:]][dimension.rawValue] = breakdown
            }
        }
        return edition
    }

    /// The edition of the file; nil where there is none, or none that can be read, which is made anew.
    private func read() throws -> Edition? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return try? JSONDecoder().decode(Edition.self, from: data)
    }

    private static func key(_ window: Window) -> String { "\(window.length.months) \(window.end.index)" }
}
