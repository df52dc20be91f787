// SPDX-License-Identifier: Apache-2.0

/// The figures of one window, summed over its clusters.
public struct WindowTotals: Equatable, Sendable {
    /// The window.
    public let window: Window
    /// Of all clusters with a report in the window.
    public let all: [Figure: Int64]
    /// Of those among them that were established by the window's end: seen on at least two UTC days.
    public let established: [Figure: Int64]
    /// The first day that there is any data of, where that is after the window's first; nil where the totals are of the whole
    /// window.
    ///
    /// What was before is not known, as it is beyond the retention of the storage or was never collected.
    public let dataSince: UTCDay?

    /// The totals of a window.
    ///
    /// A figure that is missing from `all` has no value in any report; one that is 0 was reported so. Among the
    /// established a figure of 0 is left out.
    public init(
        window: Window,
        all: [Figure: Int64],
        established: [Figure: Int64],
        dataSince: UTCDay? = nil
    ) {
        self.window = window
        self.all = all
        self.established = established.filter { $0.value > 0 }
        self.dataSince = dataSince
    }
}

/// The figures of one UTC day, summed over its clusters.
public struct DayTotals: Equatable, Sendable {
    /// The day.
    public let day: UTCDay
    /// Of all clusters with a report on the day: per figure the sum of the clusters' peaks of the day.
    public let all: [Figure: Int64]
    /// Of those among them that were established by the day's end; figures of 0 are left out.
    public let established: [Figure: Int64]

    /// The totals of a day.
    public init(day: UTCDay, all: [Figure: Int64], established: [Figure: Int64]) {
        self.day = day
        self.all = all
        self.established = established.filter { $0.value > 0 }
    }
}

extension [Figure: Int64] {
    /// Applications by canonical name, what has no canonical name by the name it was sent under.
    public var canonicalApplications: [String: Int64] {
        var applications: [String: Int64] = [:]
        for (figure, value) in self {
            switch figure {
            case .canonicalApplication(let name): applications[name] = value
            case .application(let kind) where ApplicationName.canonical(of: kind) == nil: applications[kind] = value
            default: break
            }
        }
        return applications
    }
}
