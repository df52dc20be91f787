// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel
import Testing

@Suite("docs/data-dictionary.md")
struct DocumentationTests {
    @Test("every metric and label of the dictionary is on the page, and none that is not")
    func isComplete() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/data-dictionary.md"), encoding: .utf8)
        let sections = page.components(separatedBy: "\n### ").dropFirst()
        #expect(sections.count == DataDictionary.metrics.count)
        for (definition, section) in zip(DataDictionary.metrics, sections) {
            #expect(section.hasPrefix("`\(definition.name)`\n\n\(definition.meaning) Value: \(definition.unit)."))
            let rows = section.split(separator: "\n").filter { $0.hasPrefix("| `") }
            let expected = definition.labels.map { "| `\($0.name)` | \($0.meaning) | `\($0.example)` |" }
            #expect(rows.map(String.init) == expected)
        }
    }
}
