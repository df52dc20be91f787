// SPDX-License-Identifier: Apache-2.0

/// The file that the project's website publishes of its telemetry: the public figures in words, ready to be shown.
public struct WebsiteFigures: Codable, Equatable, Sendable {
    /// A number with a name.
    public struct Card: Codable, Equatable, Sendable {
        /// What is counted.
        public var label: String
        /// The number.
        public var value: String
        /// More about it; nil where there is nothing to say.
        public var hint: String?
    }

    /// An application and how many of it there are.
    public struct Application: Codable, Equatable, Sendable {
        /// Its canonical name.
        public var name: String
        /// How many.
        public var value: String
    }

    /// The first and the last day of a window.
    public struct Span: Codable, Equatable, Sendable {
        /// `2026-03-01`.
        public var from: String
        /// `2026-03-31`.
        public var to: String
    }

    /// What is shown of a window.
    public struct Period: Codable, Equatable, Sendable {
        /// The window in English.
        public var label: String
        /// Clusters, nodes and tenants.
        public var summaryCards: [Card]
        /// Applications in the order of the website; none that nobody has, and not tenants, which have a card.
        public var apps: [Application]
        /// The window's days.
        public var range: Span

        private enum CodingKeys: String, CodingKey {
            case label, apps, range
            case summaryCards = "summary_cards"
        }
    }

    /// Who says it.
    public struct Source: Codable, Equatable, Sendable {
        /// A name.
        public var label: String
    }

    /// When it was made, RFC 3339.
    public var updatedAt: String
    /// The heading.
    public var title = "Telemetry"
    /// Who says it.
    public var source = Source(label: "Cozystack Telemetry Server")
    /// By `month`, `quarter` and `year`.
    public var periods: [String: Period]

    /// The file of windows.
    ///
    /// - Parameters:
    ///   - totals: The totals of the windows.
    ///   - instant: When they were read.
    ///   - threshold: *k*.
    public init(_ totals: [Window: WindowTotals], generatedAt instant: UTCInstant, _ threshold: Int) {
        updatedAt = instant.rfc3339
        periods = Dictionary(
            uniqueKeysWithValues: totals.values.map { ("\($0.window.length)", Period($0, threshold: threshold)) }
        )
    }

    private enum CodingKeys: String, CodingKey {
        case title, source, periods
        case updatedAt = "updated_at"
    }
}

extension WebsiteFigures.Period {
    /// The order of the website; what is not in it comes after it.
    private static let order = [
        "VMDisk", "VMInstance", "Etcd", "Ingress", "Monitoring", "Kubernetes", "SeaweedFS", "Bucket", "Postgres",
        "MariaDB",
        "Harbor", "ClickHouse", "Redis", "VirtualPrivateCloud", "MongoDB", "Kafka", "OpenBAO", "RabbitMQ", "Qdrant",
        "NATS",
        "FoundationDB", "VPN", "TCPBalancer", "HTTPCache", "OpenSearch", "NFS", "ClearML",
    ]

    fileprivate init(_ totals: WindowTotals, threshold: Int) {
        let clusters = totals.all[.clusters] ?? 0
        func card(_ label: String, _ figure: Figure) -> WebsiteFigures.Card {
            let total = totals.all[figure] ?? 0
            return .init(label: label, value: "\(total)", hint: "avg \(average(total, per: clusters)) per cluster")
        }
        let window = totals.window
        label = window.label
        summaryCards = [
            .init(label: "Clusters", value: "\(clusters)"), card("Total Nodes", .nodes), card("Tenants", .tenants),
        ]
        apps = Self.ordered(totals.publicValues(of: .applications, threshold: threshold))
        range = .init(from: "\(window.start.firstDay)", to: "\(window.end.lastDay)")
    }

    private static func ordered(_ counts: [String: Int64]) -> [WebsiteFigures.Application] {
        let known = order.compactMap { name in counts[name].map { (name, $0) } }
        let others = counts.filter { !order.contains($0.key) && $0.key != "Tenant" }
            .sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
        return (known + others).filter { $0.1 > 0 }.map { .init(name: $0.0, value: "\($0.1)") }
    }
}
