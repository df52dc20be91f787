// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import TelemetryModel

/// `cozy-telemetry export`: everything public, as one table.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write everything public of a month or of several as one table: overviews, series, breakdowns.",
        discussion: """
            A row has source (overview, series or breakdown), of (what the series is of, or the dimension), period (month, \
            quarter or year), start, end, name, value, and for breakdowns at_end: the clusters whose last report has the \
            value. A backend that asks for patience is asked again after the time that it names.
            """
    )

    @Option(help: "How it is written.")
    var format = ExportFormat.csv

    @Option(
        help: ArgumentHelp(
            "The file, which is there as a whole or not at all; standard output unless given.",
            valueName: "file"
        ),
        completion: .file()
    )
    var output: String?

    @Option(help: "How many months, 1 to 60, the last one among them; none before January 2024.")
    var months = 1

    @OptionGroup var month: MonthOptions
    @OptionGroup var backend: BackendOptions

    func validate() throws {
        guard (1...60).contains(months) else { throw ValidationError("--months must be from 1 to 60") }
    }

    func run() async throws {
        let address = try backend.address()
        let export = FiguresExport(months: months, last: month.calendarMonth)
        let output = try ExportOutput(output)
        defer {
            Terminal.endProgress()
            output.discard()
        }
        do {
            try await Interruption.task { [format] in
                try output.write(format.beginning)
                try await address.withConnection { connection in
                    try await export.run(connection) { rows in try output.write(rows.map(format.text).joined()) }
                }
                try output.keep()
            }
        } catch is CancellationError {
            throw CommandFailure.failed(
                "stopped; \(self.output == nil ? "the export is not whole" : "nothing was written")"
            )
        }
    }
}

/// Everything public of some months, question after question.
struct FiguresExport {
    let months: Int
    let last: CalendarMonth

    /// Everything public of so many months; of fewer where the first ones would be before those that backends answer for.
    init(months: Int, last: CalendarMonth) {
        self.months = min(months, last.index - CalendarMonth(year: MonthOptions.years.lowerBound, month: 1).index + 1)
        self.last = last
    }

    /// How long a backend may ask to be left alone, all in all, before one question.
    private static let patience = Duration.seconds(600)

    /// Asks for everything.
    ///
    /// - Parameters:
    ///   - connection: Whom.
    ///   - write: Takes the rows of each answer.
    /// - Throws: `BackendFailure`, or what `write` throws.
    func run(_ connection: BackendConnection, _ write: ([ExportRow]) throws -> Void) async throws {
        let questions = overviews + series + breakdowns
        for (number, question) in questions.enumerated() {
            Terminal.progress("\(number) of \(questions.count) answers")
            try write(try await patiently { try await question(connection) })
        }
    }

    private typealias Question = (BackendConnection) async throws -> [ExportRow]

    private var overviews: [Question] {
        allMonths.map { month in { try await $0.overview(endingWith: month).rows } }
    }

    private var series: [Question] {
        SeriesName.allCases.flatMap { series in
            Window.Length.allCases.map { window in
                { connection in
                    let query = SeriesCommand.query(of: series, window, months: months)
                    let answer: PublicSeries = try await connection.figures("/api/series", query, endingWith: last)
                    return answer.rows
                }
            }
        }
    }

    private var breakdowns: [Question] {
        allMonths.flatMap { month in
            Dimension.allCases.map { dimension in
                { try await $0.breakdown(by: dimension, endingWith: month).rows }
            }
        }
    }

    private var allMonths: [CalendarMonth] { (0..<months).reversed().map { last - $0 } }

    /// Asks again where the backend says when.
    private func patiently(_ ask: () async throws -> [ExportRow]) async throws -> [ExportRow] {
        var waited = Duration.zero
        while true {
            do {
                return try await ask()
            } catch let failure as BackendFailure {
                guard let wait = failure.retryAfter, waited + wait <= Self.patience else { throw failure }
                Terminal.progress("\(failure.problem); asking again in \(wait.components.seconds) s")
                // Nothing tells when a backend has time again but what it said itself.
                try await Task.sleep(for: max(wait, .seconds(1)))
                waited += max(wait, .seconds(1))
            }
        }
    }
}
