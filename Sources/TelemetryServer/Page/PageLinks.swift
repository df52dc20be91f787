// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// Where the figures of a window are.
struct PageLinks {
    private let window: Window

    init(_ window: Window) { self.window = window }

    /// The page.
    var page: String { "/?month=\(window.end)&window=\(window.length)" }

    /// A curve that ends with the window.
    func series(_ name: SeriesName, length: Window.Length? = nil) -> SeriesLinks {
        SeriesLinks(json: "/api/series?of=\(name.rawValue)&\(month)&window=\(length ?? window.length)")
    }

    /// A breakdown of the window.
    func breakdown(by dimension: Dimension) -> SeriesLinks {
        SeriesLinks(json: "/api/breakdowns?by=\(dimension.rawValue)&\(month)")
    }

    /// The overview that ends with the window's last month.
    var overview: SeriesLinks { SeriesLinks(json: "/api/overview?\(month)") }

    private var month: String { "year=\(window.end.year)&month=\(window.end.month)" }
}

/// Where figures are for programs.
struct SeriesLinks {
    /// As JSON.
    let json: String
    /// As a file with comma-separated values.
    let csv: String

    init(json: String) {
        self.json = json
        csv = json + "&format=csv"
    }
}

extension Window.Length {
    /// What it is called on a page.
    var name: String {
        switch self {
        case .month: "Month"
        case .quarter: "Quarter"
        case .year: "Year"
        }
    }
}

extension CalendarMonth {
    /// `Mar 2026`.
    var shortLabel: String { "\(label.prefix(3)) \(year)" }
}
