// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// A metric as "What we collect" tells of it.
struct CollectedMetric {
    /// A label of it.
    struct Label {
        let name: String
        let meaning: String
        let example: String
        let isIdentifier: Bool
    }

    let name: String
    let meaning: String
    let unit: String
    let since: String
    let labels: [Label]

    init(_ definition: MetricDefinition) {
        name = definition.name
        meaning = definition.meaning
        unit = definition.unit
        since = definition.since
        labels = definition.labels.map {
            Label(name: $0.name, meaning: $0.meaning, example: $0.example, isIdentifier: $0.isIdentifier)
        }
    }
}
