// SPDX-License-Identifier: Apache-2.0

/// The kinds of objects of Cozystack and Flux that a test cluster can be taught.
package enum CozystackDefinition: String, CaseIterable, Sendable {
    case workloadMonitors = "workloadmonitors.cozystack.io"
    case packages = "packages.cozystack.io"
    case applicationDefinitions = "applicationdefinitions.cozystack.io"
    case helmReleases = "helmreleases.helm.toolkit.fluxcd.io"

    private var kind: String {
        switch self {
        case .workloadMonitors: "WorkloadMonitor"
        case .packages: "Package"
        case .applicationDefinitions: "ApplicationDefinition"
        case .helmReleases: "HelmRelease"
        }
    }

    /// The CustomResourceDefinition, with a schema that lets everything through.
    fileprivate var yaml: String {
        let parts = rawValue.split(separator: ".", maxSplits: 1)
        let isNamespaced = self == .workloadMonitors || self == .helmReleases
        return """
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata: {name: \(rawValue)}
            spec:
              group: \(parts[1])
              scope: \(isNamespaced ? "Namespaced" : "Cluster")
              names: {plural: \(parts[0]), singular: \(kind.lowercased()), kind: \(kind), listKind: \(kind)List}
              versions:
              - name: \(self == .helmReleases ? "v2" : "v1alpha1")
                served: true
                storage: true
                subresources: {status: {}}
                schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}

            """
    }
}

extension ControlPlane {
    /// Makes the server serve kinds of objects, and waits until it does.
    package func install(_ definitions: [CozystackDefinition]) async throws {
        try await apply(definitions.map(\.yaml).joined(separator: "---\n"))
        let names = definitions.map { "customresourcedefinition/" + $0.rawValue }
        try await kubectl(["wait", "--for=condition=Established", "--timeout=30s"] + names)
    }
}
