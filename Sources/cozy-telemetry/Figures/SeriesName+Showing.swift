// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import TelemetryModel

extension SeriesName {
    /// The names that can be given.
    static let known = KnownNames(kind: "series", names: allCases.map(\.rawValue))

    /// Its name in a heading.
    var title: String {
        switch self {
        case .cozystackVersion: "Versions of Cozystack"
        case .kubernetesVersion: "Versions of Kubernetes"
        case .loadBalancers: "Load balancers"
        default: rawValue.prefix(1).uppercased() + rawValue.dropFirst()
        }
    }

    /// A value of a name as people read it.
    func text(of value: Int64, named name: String) -> String {
        let isBytes = self == .capacity && name == "memory"
        return isBytes ? Self.bytes(value) : "\(value)"
    }

    /// Bytes in the largest unit that there is at least one of.
    private static func bytes(_ value: Int64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var (number, unit) = (Double(value), 0)
        while number >= 1_024, unit < units.count - 1 { (number, unit) = (number / 1_024, unit + 1) }
        return unit == 0 ? "\(value) B" : "\(Double((number * 10).rounded()) / 10) \(units[unit])"
    }
}

extension Window.Length: ExpressibleByArgument {
    /// The length of a name; nil where there is none.
    public init?(argument: String) {
        guard let length = Self.allCases.first(where: { $0.name == argument }) else { return nil }
        self = length
    }

    /// The names that there are.
    public static var allValueStrings: [String] { allCases.map(\.name) }

    /// The name that backends know it by, `quarter`.
    var name: String { "\(self)" }

    /// The name, for --help.
    public var defaultValueDescription: String { name }
}
