// SPDX-License-Identifier: Apache-2.0

/// The answer to `GET /api/overview`: the public figures of the month, the quarter and the year that end with a month.
public struct Overview: Codable, Equatable, Sendable {
    /// When it was made, RFC 3339.
    public var generatedAt: String
    /// The three windows.
    public var periods: Periods

    /// The three windows that end with one month.
    public struct Periods: Codable, Equatable, Sendable {
        /// The month itself.
        public var month: Period
        /// The month and the two before it.
        public var quarter: Period
        /// The month and the eleven before it.
        public var year: Period
    }

    /// The figures of one window.
    public struct Period: Codable, Equatable, Sendable {
        /// The window in English.
        public var label: String
        /// Its first day, `2026-03-01`.
        public var start: String
        /// Its last day, `2026-03-31`, also while the window runs.
        public var end: String
        /// Distinct clusters.
        public var clusters: Int64
        /// The sum of the clusters' peaks of nodes.
        public var totalNodes: Int64
        /// To one decimal.
        public var avgNodesPerCluster: Double
        /// The sum of the clusters' peaks of tenants.
        public var totalTenants: Int64
        /// To one decimal.
        public var avgTenantsPerCluster: Double
        /// Applications by kind as it was sent; kinds outside the vocabulary that few clusters have are under `other`.
        public var apps: [String: Int64]
        /// The same of the clusters that were seen on at least two UTC days.
        public var established: Established
        /// The first day that there is data of, `2026-02-10`, where that is after `start`; else nil, and left out.
        ///
        /// What was before is not in the figures.
        public var dataSince: String?
    }

    /// The figures of the established clusters of a window.
    public struct Established: Codable, Equatable, Sendable {
        /// Distinct clusters.
        public var clusters: Int64
        /// The sum of the clusters' peaks of nodes.
        public var totalNodes: Int64
        /// To one decimal.
        public var avgNodesPerCluster: Double
        /// The sum of the clusters' peaks of tenants.
        public var totalTenants: Int64
        /// To one decimal.
        public var avgTenantsPerCluster: Double
    }

    /// The public figures of three windows.
    ///
    /// - Parameters:
    ///   - month: The last month of all three.
    ///   - generatedAt: When they were read.
    ///   - threshold: *k*: a kind of application outside the public vocabulary is named where at least so many clusters
    ///     have it.
    ///   - totals: The totals of a window.
    /// - Throws: What `totals` throws.
    public init<Failure: Error>(
        endingWith month: CalendarMonth,
        generatedAt: UTCInstant,
        threshold: Int,
        totals: (Window) throws(Failure) -> WindowTotals
    ) throws(Failure) {
        self.generatedAt = generatedAt.rfc3339
        periods = Periods(
            month: Period(try totals(Window(.month, endingWith: month)), threshold: threshold),
            quarter: Period(try totals(Window(.quarter, endingWith: month)), threshold: threshold),
            year: Period(try totals(Window(.year, endingWith: month)), threshold: threshold)
        )
    }

    private enum CodingKeys: String, CodingKey {
        case generatedAt = "generated_at"
        case periods
    }
}

extension Overview.Period {
    /// The public figures of a window.
    fileprivate init(_ totals: WindowTotals, threshold: Int) {
        let all = Overview.Established(totals.all)
        label = totals.window.label
        start = totals.window.start.firstDay.description
        end = totals.window.end.lastDay.description
        clusters = all.clusters
        totalNodes = all.totalNodes
        avgNodesPerCluster = all.avgNodesPerCluster
        totalTenants = all.totalTenants
        avgTenantsPerCluster = all.avgTenantsPerCluster
        apps = PublicApplications.asSent(totals.all, threshold: threshold)
        established = Overview.Established(totals.established)
        dataSince = totals.dataSince?.description
    }

    private enum CodingKeys: String, CodingKey {
        case label, start, end, clusters, apps, established
        case totalNodes = "total_nodes"
        case avgNodesPerCluster = "avg_nodes_per_cluster"
        case totalTenants = "total_tenants"
        case avgTenantsPerCluster = "avg_tenants_per_cluster"
        case dataSince = "data_since"
    }
}

extension Overview.Established {
    /// The figures of a set of clusters.
    fileprivate init(_ figures: [Figure: Int64]) {
        clusters = figures[.clusters] ?? 0
        totalNodes = figures[.nodes] ?? 0
        totalTenants = figures[.tenants] ?? 0
        avgNodesPerCluster = average(totalNodes, per: clusters)
        avgTenantsPerCluster = average(totalTenants, per: clusters)
    }

    private enum CodingKeys: String, CodingKey {
        case clusters
        case totalNodes = "total_nodes"
        case avgNodesPerCluster = "avg_nodes_per_cluster"
        case totalTenants = "total_tenants"
        case avgTenantsPerCluster = "avg_tenants_per_cluster"
    }
}

/// A total per cluster, rounded to one decimal; 0 of no clusters.
func average(_ total: Int64, per clusters: Int64) -> Double {
    clusters == 0 ? 0 : (Double(total) / Double(clusters) * 10).rounded() / 10
}
