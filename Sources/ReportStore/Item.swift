// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// What a total is of: a figure, or the clusters that have a value of a dimension.
enum Item: Hashable {
    case figure(Figure)
    case value(Dimension, String)

    /// The kind and the name that the item is stored under.
    var stored: (kind: Int, name: String) {
        switch self {
        case .figure(let figure): figure.stored
        case .value(let dimension, let value): (dimension.storedKind, value)
        }
    }

    /// A stored item; nil for a kind that a newer version wrote.
    init?(storedKind kind: Int, name: String) {
        if let dimension = Dimension(storedKind: kind) {
            self = .value(dimension, name)
        } else if let figure = Figure(storedKind: kind, name: name) {
            self = .figure(figure)
        } else {
            return nil
        }
    }

    /// The kinds of all figures.
    static let figureKinds = 0...15
}

extension Dimension {
    /// The kind that values of this dimension are stored under.
    var storedKind: Int {
        switch self {
        case .cozystackVersion: 16
        case .kubernetesVersion: 17
        case .oidc: 18
        case .bundle: 19
        case .bundleEnabled: 20
        case .bundleDisabled: 21
        case .operatingSystem: 22
        case .kernel: 23
        case .driver: 24
        case .sizeGroup: 25
        case .package: 26
        case .packageVariant: 27
        case .application: 28
        case .workloadKind: 29
        case .workloadType: 30
        case .workloadVersion: 31
        }
    }

    private static let byStoredKind = Dictionary(uniqueKeysWithValues: allCases.map { ($0.storedKind, $0) })

    /// The dimension of a kind; nil where the kind is a figure's.
    fileprivate init?(storedKind: Int) {
        guard let dimension = Self.byStoredKind[storedKind] else { return nil }
        self = dimension
    }
}

extension Figure {
    /// The kind and the name that the figure is stored under.
    fileprivate var stored: (kind: Int, name: String) {
        switch self {
        case .clusters: (0, "")
        case .nodes: (1, "")
        case .tenants: (2, "")
        case .loadBalancers: (3, "")
        case .volumes: (4, "")
        case .capacity(let resource): (5, resource)
        case .application(let kind): (6, kind)
        case .clustersWithApplication(let kind): (7, kind)
        case .canonicalApplication(let name): (8, name)
        }
    }

    /// A stored figure; nil for a kind that a newer version wrote.
    fileprivate init?(storedKind: Int, name: String) {
        switch storedKind {
        case 0: self = .clusters
        case 1: self = .nodes
        case 2: self = .tenants
        case 3: self = .loadBalancers
        case 4: self = .volumes
        case 5: self = .capacity(resource: name)
        case 6: self = .application(kind: name)
        case 7: self = .clustersWithApplication(kind: name)
        case 8: self = .canonicalApplication(name: name)
        default: return nil
        }
    }
}
