// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TelemetryModel

/// `cozy-telemetry overview`: the figures of a backend, as a table or as JSON.
struct OverviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "overview",
        abstract: "Print the figures of a month, its quarter and its year.",
        discussion: ViewOptions.discussion
    )

    @OptionGroup var month: MonthOptions
    @OptionGroup var view: ViewOptions
    @OptionGroup var backend: BackendOptions
    @OptionGroup(title: "OPTIONS FOR MAINTAINERS") var access: PrivateOptions

    func run() async throws {
        try await view.show(try access.address(or: backend)) { [month] connection in
            let overview = try await connection.overview(endingWith: month.calendarMonth)
            return Finding(document: overview) { OverviewTable(overview).text(on: $0) }
        }
    }
}
