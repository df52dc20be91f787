// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TelemetryModel

/// `cozy-telemetry series`: how a figure went over the months.
struct SeriesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "series",
        abstract: "Print how figures went over the months, with a curve for each name.",
        discussion: """
            A curve has a letter for each month, from nothing to its own highest value; a blank is 0, or folded away. \
            \(ViewOptions.discussion)
            """
    )

    @Argument(
        help: ArgumentHelp(
            "What of: \(SeriesName.known.names.joined(separator: ", ")).",
            valueName: "what"
        ),
        completion: .list(SeriesName.known.names)
    )
    var what: String

    @Option(help: ArgumentHelp("How long the window is that ends with each month.", valueName: "length"))
    var window = Window.Length.month

    @Option(help: "How many months, 1 to 60.")
    var months = 24

    @OptionGroup var month: MonthOptions
    @OptionGroup var view: ViewOptions
    @OptionGroup var backend: BackendOptions

    func validate() throws {
        _ = try chosen()
        guard (1...60).contains(months) else { throw ValidationError("--months must be from 1 to 60") }
    }

    func run() async throws {
        let series = try chosen()
        let query = Self.query(of: series, window, months: months)
        try await view.show(try backend.address()) { [window, month] connection in
            let answer: PublicSeries = try await connection.figures(
                "/api/series",
                query,
                endingWith: month.calendarMonth
            )
            return Finding(document: answer) { SeriesTable(answer, window).text(on: $0) }
        }
    }

    private func chosen() throws -> SeriesName {
        guard let chosen = SeriesName(rawValue: what) else { throw SeriesName.known.refusal(of: what) }
        return chosen
    }

    /// What is asked beside the last month.
    static func query(of series: SeriesName, _ window: Window.Length, months: Int) -> [String] {
        ["of=\(series.rawValue)", "window=\(window.name)", "months=\(months)"]
    }
}
