// SPDX-License-Identifier: Apache-2.0

/// Something that has a public curve over months.
public enum SeriesName: String, CaseIterable, Codable, Hashable, Sendable {
    case clusters, nodes, tenants
    case loadBalancers = "load_balancers"
    case volumes, capacity, applications
    case cozystackVersion = "cozystack_version"
    case kubernetesVersion = "kubernetes_version"

    /// The dimension whose values it counts; nil where it is a total.
    public var dimension: Dimension? {
        switch self {
        case .cozystackVersion: .cozystackVersion
        case .kubernetesVersion: .kubernetesVersion
        case .clusters, .nodes, .tenants, .loadBalancers, .volumes, .capacity, .applications: nil
        }
    }
}

/// A public curve: what windows that end with one month after the other have.
public struct PublicSeries: Codable, Equatable, Sendable {
    /// A window and what it has.
    public struct Point: Codable, Equatable, Sendable {
        /// The last month of the window, `2026-03`.
        public var month: String
        /// The window's first day, `2026-03-01`.
        public var start: String
        /// Its last day, also while it runs.
        public var end: String
        /// The first day that there is data of, where that is after `start`; else nil.
        public var dataSince: String?
        /// Values by name: `all` and `established`, or applications, resources, versions.
        ///
        /// A name that another point has and this one has not is 0 here, or folded under `other`.
        public var values: [String: Int64]

        /// A point of a window.
        public init(_ window: Window, dataSince: UTCDay? = nil, values: [String: Int64]) {
            month = "\(window.end)"
            start = "\(window.start.firstDay)"
            end = "\(window.end.lastDay)"
            self.dataSince = dataSince.map { "\($0)" }
            self.values = values
        }

        private enum CodingKeys: String, CodingKey {
            case month, start, end, values
            case dataSince = "data_since"
        }
    }

    /// What it is a curve of.
    public var of: SeriesName
    /// The length of its windows: `month`, `quarter` or `year`.
    public var window: String
    /// What fewer clusters than this have is folded under `other`.
    public var threshold: Int
    /// The day at whose beginning the windows that still run were read, `2026-03-05`; nil of totals, which are read when they are
    /// asked for.
    public var asOf: String?
    /// The windows, the earliest first.
    public var points: [Point]

    /// A curve.
    public init(of name: SeriesName, _ length: Window.Length, threshold: Int, asOf: UTCDay? = nil, points: [Point]) {
        of = name
        window = "\(length)"
        self.threshold = threshold
        self.asOf = asOf.map { "\($0)" }
        self.points = points
    }

    private enum CodingKeys: String, CodingKey {
        case of, window, points
        case threshold = "k"
        case asOf = "as_of"
    }
}

extension WindowTotals {
    /// What may be told of a curve's name; of versions nothing, as they are no totals.
    ///
    /// - Parameters:
    ///   - name: The curve.
    ///   - threshold: *k*.
    /// - Returns: Values by name.
    public func publicValues(of name: SeriesName, threshold: Int) -> [String: Int64] {
        switch name {
        case .clusters: totals(of: .clusters)
        case .nodes: totals(of: .nodes)
        case .tenants: totals(of: .tenants)
        case .loadBalancers: totals(of: .loadBalancers)
        case .volumes: totals(of: .volumes)
        case .capacity:
            // Any other resource is a device of somebody's choosing.
            Dictionary(uniqueKeysWithValues: ["cpu", "memory"].map { ($0, all[.capacity(resource: $0)] ?? 0) })
        case .applications: PublicApplications.canonical(all, threshold: threshold)
        case .cozystackVersion, .kubernetesVersion: [:]
        }
    }

    private func totals(of figure: Figure) -> [String: Int64] {
        ["all": all[figure] ?? 0, "established": established[figure] ?? 0]
    }
}
