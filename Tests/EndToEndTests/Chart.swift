// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryTesting
import Testing
import Yams

/// A chart of `charts/`, as Helm makes objects of it.
struct Chart: CustomTestStringConvertible {
    let name: String

    static let agent = Chart(name: "cozy-telemetry-agent")
    static let server = Chart(name: "cozy-telemetry-server")

    /// The root of the package.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    /// Helm, where `make charts` puts it.
    static let helm = root.appending(path: ".build/python/helm/bin/helm").path()
    static var isAvailable: Bool { FileManager.default.isExecutableFile(atPath: helm) }
    /// What to do where there is no Helm.
    static let requirements: Comment = "SKIPPED: there is no Helm; make charts installs it"

    var testDescription: String { name }
    /// Its directory.
    var path: String { Self.root.appending(path: "charts/\(name)").path() }

    /// A file with values under `ci/`.
    func values(_ name: String) -> String { "\(path)/ci/\(name)-values.yaml" }

    /// The objects of a release in the namespace `cozy-telemetry`, as text.
    func render(_ arguments: [String] = []) async throws -> RunningProgram.Ending {
        let command = [Self.helm, "template", "release", path, "--namespace", "cozy-telemetry"] + arguments
        return try await RunningProgram(command: command).ending()
    }

    /// The same objects, without the labels that every chart gives.
    func objects(_ arguments: [String] = []) async throws -> [ChartObject] {
        let rendered = try await render(arguments)
        try #require(rendered.status == 0, "\(rendered.errors)")
        return try ChartObject.all(rendered.output)
    }

    /// The names of the settings that its schema has.
    func settings() throws -> Set<String> {
        let schema = try JSONSerialization.jsonObject(
            with: Data(contentsOf: URL(filePath: path + "/values.schema.json"))
        )
        func below(_ key: String, _ value: Any?) -> Any? { (value as? [String: Any])?[key] }
        let settings = below("properties", below("settings", below("properties", schema)))
        return Set(try #require(settings as? [String: Any]).keys)
    }
}

/// An object of Kubernetes, in a form that can be compared.
struct ChartObject: Hashable {
    let kind: String
    let name: String
    let json: String

    /// The objects of YAML documents.
    static func all(_ yaml: String) throws -> [ChartObject] {
        try Yams.load_all(yaml: yaml).compactMap { document in
            guard var object = document as? [String: Any] else { return nil }
            var metadata = try #require(object["metadata"] as? [String: Any])
            metadata["labels"] = nil
            object["metadata"] = metadata
            let json = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
            return ChartObject(
                kind: try #require(object["kind"] as? String),
                name: try #require(metadata["name"] as? String),
                json: String(decoding: json, as: UTF8.self)
            )
        }
    }

    /// What it holds, as a type says that it looks.
    func decoded<Form: Decodable>(_ form: Form.Type) throws -> Form {
        try JSONDecoder().decode(form, from: Data(json.utf8))
    }
}
