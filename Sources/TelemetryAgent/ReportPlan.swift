// SPDX-License-Identifier: Apache-2.0

/// Which parts a cluster reports, chosen by what its API server has.
///
/// A cluster between the generations has the parts of both and reports each of them once.
struct ReportPlan: Hashable {
    /// The generation that a part is reported as.
    enum Generation: Hashable {
        case v0, v1
    }

    /// Facts of the cluster: with bundle labels (v0), or with capacity and packages (v1).
    let facts: Generation
    /// Applications: tenants and workloads (v0), or a count for each kind (v1).
    let applications: Generation

    /// The plan for an API server.
    ///
    /// WorkloadMonitors say nothing of the generation, v1 keeps them.
    init(servesPackages: Bool, servesApplicationDefinitions: Bool) {
        facts = servesPackages ? .v1 : .v0
        applications = servesApplicationDefinitions ? .v1 : .v0
    }

    /// Whether the two parts are two reports; they are only where both are those of v1.
    var isSplit: Bool { facts == .v1 && applications == .v1 }
}
