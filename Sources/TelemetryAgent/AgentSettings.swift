// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// How the agent was asked to work.
public struct AgentSettings: Sendable {
    /// Where reports go unless another endpoint is given.
    public static let defaultEndpoint = "https://telemetry.cozystack.io"

    /// The agent's namespace, where it is not told by the pod that it runs in.
    public static let defaultNamespace = "cozy-telemetry"

    /// The URL that reports are sent to.
    public let endpoint: String
    /// The time from one report to the next.
    public let interval: Duration
    /// The namespace of the agent, where its ConfigMap is.
    public let namespace: String
    /// How the cluster is called.
    public let identity: IdentityMode
    /// The time from the notice in a cluster to the first report.
    public let noticePeriod: Duration
    /// Whether `--disable-telemetry` was given.
    public let isDisabled: Bool
    /// The value of `DO_NOT_TRACK`, nil where it is not set.
    public let doNotTrack: String?
    /// The version of Cozystack, where it was given.
    public let cozystackVersion: String?

    /// Settings as the deployed clients have them.
    ///
    /// - Parameters:
    ///   - endpoint: An http or https URL without a user.
    ///   - interval: The time from one report to the next, at least a second.
    ///   - namespace: The namespace of the agent.
    ///   - identity: How the cluster is called.
    ///   - noticePeriod: The time from the notice to the first report; zero for no delay.
    ///   - isDisabled: Whether `--disable-telemetry` was given.
    ///   - cozystackVersion: The version of Cozystack; found in the cluster where it is nil.
    ///   - environment: The environment, of which `DO_NOT_TRACK` is read.
    /// - Throws: `AgentError.invalidEndpoint` or `AgentError.invalidInterval`.
    public init(
        endpoint: String = defaultEndpoint,
        interval: Duration = .seconds(900),
        namespace: String = defaultNamespace,
        identity: IdentityMode = .key,
        noticePeriod: Duration = .seconds(3_600),
        isDisabled: Bool = false,
        cozystackVersion: String? = nil,
        environment: [String: String]
    ) throws(AgentError) {
        guard Self.isEndpoint(endpoint) else { throw .invalidEndpoint }
        guard interval >= .seconds(1) else { throw .invalidInterval }
        self.endpoint = endpoint
        self.interval = interval
        self.namespace = namespace
        self.identity = identity
        self.noticePeriod = noticePeriod
        self.isDisabled = isDisabled
        self.cozystackVersion = cozystackVersion?.isEmpty == true ? nil : cozystackVersion
        doNotTrack = environment["DO_NOT_TRACK"]
    }

    /// Whether a text is an http or https URL that something can be sent to.
    static func isEndpoint(_ text: String) -> Bool {
        guard let url = URLComponents(string: text), ["http", "https"].contains(url.scheme?.lowercased()),
            url.host?.isEmpty == false, url.user == nil, url.password == nil, url.fragment == nil
        else { return false }
        return (1...65_535).contains(url.port ?? 80)
    }

    /// An interval as the deployed clients' flag takes it (Go's `time.ParseDuration`): `15m`, `1h30m`, `1.5h`, `500ms`.
    ///
    /// Nil where the text is not one, or not positive.
    public static func interval(_ text: String) -> Duration? {
        var rest = text.hasPrefix("+") ? text.dropFirst() : text[...]
        var total = 0.0
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { !($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(unit.count)
            guard let amount = Double(number), let seconds = unitSeconds[String(unit)] else { return nil }
            total += amount * seconds
        }
        return total > 0 && total < 1e9 ? .seconds(total) : nil
    }

    private static let unitSeconds = [
        "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3_600,
    ]
}
