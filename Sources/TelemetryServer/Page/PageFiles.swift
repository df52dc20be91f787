// SPDX-License-Identifier: Apache-2.0

/// Where the files are that a page loads.
struct PageFiles {
    let icon = PageFile.named("icon.svg").path
    let style = PageFile.named("page.css").path
    let script = PageFile.named("page.js").path
    let chart = PageFile.named("chart.js").path
    let maintainers = PageFile.named("maintainers.js").path
}

/// Reports as they are sent.
struct PageExamples {
    let v0 = PageFile.named("example-v0.prom").text
    let `operator` = PageFile.named("example-v1-operator.prom").text
    let controller = PageFile.named("example-v1-controller.prom").text
}

/// A command that says no for a cluster.
struct OptOutCommand {
    let id: String
    let title: String
    let text: String

    /// One for each generation, and ours for all.
    static let all = [
        OptOutCommand(
            id: "opt-out-v0",
            title: "Cozystack v0",
            text: """
                kubectl patch -n cozy-system configmap cozystack --type=merge -p '{"data":{"telemetry-enabled": "false"}}'
                """
        ),
        OptOutCommand(
            id: "opt-out-v1",
            title: "Cozystack v1",
            text: """
                kubectl patch packages.cozystack.io cozystack.cozystack-platform --type=merge \
                -p '{"spec":{"components":{"platform":{"values":{"telemetry":{"disabled":true}}}}}}'
                """
        ),
        OptOutCommand(id: "opt-out-any", title: "Any, with this program", text: "cozy-telemetry opt-out"),
    ]
}
