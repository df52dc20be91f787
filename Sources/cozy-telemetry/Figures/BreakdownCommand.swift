// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TelemetryModel

/// `cozy-telemetry breakdown`: how many clusters have which value of a dimension.
struct BreakdownCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "breakdown",
        abstract: "Print how many clusters have which value of a dimension, with bars.",
        discussion: """
            Public counts are multiples of a small number, and change once a day; the JSON of a public listener has the \
            month, the quarter and the year. \(ViewOptions.discussion)
            """
    )

    @Argument(
        help: ArgumentHelp("By what: \(dimensions.names.joined(separator: ", ")).", valueName: "dimension"),
        completion: .list(dimensions.names)
    )
    var dimension: String

    @Option(help: ArgumentHelp("How long the window is that ends with the month.", valueName: "length"))
    var window = Window.Length.month

    @OptionGroup var month: MonthOptions
    @OptionGroup var view: ViewOptions
    @OptionGroup var backend: BackendOptions
    @OptionGroup(title: "OPTIONS FOR MAINTAINERS") var access: PrivateOptions

    private static let dimensions = KnownNames(kind: "dimension", names: Dimension.allCases.map(\.rawValue))

    func validate() throws { _ = try chosen() }

    func run() async throws {
        let dimension = try chosen()
        try await view.show(try access.address(or: backend)) { [window, month] connection in
            guard connection.address.token != nil else {
                let answer = try await connection.breakdown(by: dimension, endingWith: month.calendarMonth)
                return Finding(document: answer) { BreakdownTable(answer, window).text(on: $0) }
            }
            let answer: WholeBreakdown = try await connection.figures(
                "/v1/breakdowns/\(dimension.rawValue)",
                ["window=\(window.name)"],
                endingWith: month.calendarMonth
            )
            return Finding(document: answer) { BreakdownTable(answer).text(on: $0) }
        }
    }

    private func chosen() throws -> Dimension {
        guard let chosen = Dimension(rawValue: dimension) else { throw Self.dimensions.refusal(of: dimension) }
        return chosen
    }
}

extension BackendConnection {
    /// What everybody may know of a dimension.
    ///
    /// - Throws: `BackendFailure`.
    func breakdown(by dimension: Dimension, endingWith month: CalendarMonth) async throws -> PublicBreakdowns {
        try await figures("/api/breakdowns", ["by=\(dimension.rawValue)"], endingWith: month)
    }
}
