// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// What one cluster adds to the totals: its peaks by month, and the month in which it became established.
struct ClusterPeaks {
    /// The highest value of each figure by month.
    var byMonth: [CalendarMonth: [Figure: Int64]]
    /// The month of the second UTC day it was seen on; nil while there was one.
    var establishedIn: CalendarMonth?

    /// The cluster's peak of a figure in a window; nil where no report of the window has it.
    func peak(of figure: Figure, in window: Window) -> Int64? {
        byMonth.lazy.filter { window.contains($0.key) }.compactMap { $0.value[figure] }.max()
    }

    /// Whether the cluster counts among the established ones of a window.
    func isEstablished(in window: Window) -> Bool {
        establishedIn.map { $0 <= window.end } ?? false
    }
}

/// Changes of the totals of windows, collected over a transaction.
struct TotalChanges {
    /// What a total is of.
    struct Key: Hashable {
        let window: Window
        let figure: Figure
    }

    /// What is to be added; a change of 0 brings the total into being.
    struct Change {
        var all: Int128 = 0
        var established: Int128 = 0
    }

    /// The changes so far.
    private(set) var changes: [Key: Change] = [:]

    /// Adds what a cluster's peaks became over what they were.
    mutating func add(
        before: ClusterPeaks,
        after: ClusterPeaks,
        in windows: some Sequence<Window>,
        figures: Set<Figure>
    ) {
        for window in windows {
            let (was, becomes) = (before.isEstablished(in: window), after.isEstablished(in: window))
            for figure in figures {
                let (old, new) = (before.peak(of: figure, in: window), after.peak(of: figure, in: window))
                guard old != new || was != becomes, (new ?? old) != nil else { continue }
                let key = Key(window: window, figure: figure)
                changes[key, default: Change()].all += Int128(new ?? 0) - Int128(old ?? 0)
                let establishedBefore = was ? old ?? 0 : 0
                let establishedAfter = becomes ? new ?? 0 : 0
                changes[key, default: Change()].established += Int128(establishedAfter) - Int128(establishedBefore)
            }
        }
    }
}
