// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// Values of a dimension with how many clusters have them.
struct ValuesContent {
    /// A value.
    struct Row {
        let name: String
        let number: String
        let bar: String
        let isFolded: Bool
    }

    /// So many are shown at once.
    private static let mostShown = 8

    let id: String
    let title: String
    let meaning: String
    let rows: [Row]
    /// The rest.
    let more: [Row]
    let moreCount: Int
    let hasMore: Bool
    let isEmpty: Bool
    let links: SeriesLinks

    init(_ dimension: Dimension, _ breakdown: PublicBreakdown?, _ links: PageLinks) {
        id = dimension.rawValue
        title = dimension.title
        meaning = dimension.meaning
        self.links = links.breakdown(by: dimension)
        let values = breakdown?.values ?? []
        let most = Int64(values.map(\.clusters).max() ?? 0)
        let all = values.map { value in
            Row(
                name: value.value,
                number: PageNumbers.whole(Int64(value.clusters)),
                bar: PageBar.svg(Int64(value.clusters), of: most),
                isFolded: value.value == DataDictionary.other
            )
        }
        // One row more takes no more room than saying that there is one.
        let shown = all.count <= Self.mostShown + 1 ? all.count : Self.mostShown
        rows = Array(all.prefix(shown))
        more = Array(all.dropFirst(shown))
        moreCount = more.count
        hasMore = !more.isEmpty
        isEmpty = all.isEmpty
    }
}

extension Dimension {
    /// What it is called on a page.
    var title: String {
        switch self {
        case .cozystackVersion: "Cozystack"
        case .kubernetesVersion: "Kubernetes"
        case .oidc: "OIDC"
        case .bundle: "Bundle"
        case .bundleEnabled: "Switched on beside the bundle"
        case .bundleDisabled: "Switched off in the bundle"
        case .operatingSystem: "Operating system"
        case .kernel: "Kernel"
        case .driver: "Storage driver"
        case .sizeGroup: "Size of volumes"
        case .package: "Package"
        case .packageVariant: "Variant of package"
        case .application: "Application"
        case .workloadKind: "Kind of workload"
        case .workloadType: "Part of workload"
        case .workloadVersion: "Version of workload"
        }
    }

    /// What a cluster has that has a value of it.
    fileprivate var meaning: String {
        switch self {
        case .oidc: "Whether OIDC is switched on; until v0.41."
        case .bundle: "The bundle that is installed; until v0.41."
        case .bundleEnabled, .bundleDisabled: "Components, until v0.41."
        case .operatingSystem, .kernel: "On one node at least."
        case .driver, .sizeGroup: "Of one PersistentVolume at least."
        case .package, .packageVariant: "Installed packages, since v1.0."
        case .cozystackVersion, .kubernetesVersion, .application, .workloadKind, .workloadType, .workloadVersion: ""
        }
    }
}
