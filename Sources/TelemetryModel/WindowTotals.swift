// SPDX-License-Identifier: Apache-2.0

/// The figures of one window, summed over its clusters.
public struct WindowTotals: Equatable, Sendable {
    /// The window.
    public let window: Window
    /// Of all clusters with a report in the window.
    public let all: [Figure: Int64]
    /// Of those among them that were established by the window's end: seen on at least two UTC days.
    public let established: [Figure: Int64]

    /// The totals of a window.
    ///
    /// A figure that is missing from `all` has no value in any report; one that is 0 was reported so. Among the
    /// established a figure of 0 is left out.
    public init(window: Window, all: [Figure: Int64], established: [Figure: Int64]) {
        self.window = window
        self.all = all
        self.established = established.filter { $0.value > 0 }
    }
}
