// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Yams

/// One kubeconfig file as YAML, read by field so that errors can say where.
struct KubeconfigDocument {
    let file: String
    private let root: YAMLNode.Mapping

    /// Reads a file.
    init(file: String) throws(KubernetesConfigurationError) {
        try self.init(file: file, bytes: try ConfigurationFile.bytes(file))
    }

    /// Reads the bytes of a file.
    init(file: String, bytes: [UInt8]) throws(KubernetesConfigurationError) {
        self.file = file
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .malformed(file: file, line: 1, column: 1, reason: "the file is not UTF-8 text")
        }
        let node: YAMLNode?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw YAMLProblem(error).error(in: file)
        }
        guard let node, !node.isNothing else {
            root = YAMLNode.Mapping([])
            return
        }
        guard let mapping = node.mapping else {
            throw node.malformed(in: file, "a kubeconfig must be a mapping with clusters, users and contexts")
        }
        root = mapping
    }

    /// The value of `current-context`, nil where it is missing or empty.
    func currentContext() throws(KubernetesConfigurationError) -> String? {
        try KubeconfigEntry(name: "", kind: "the kubeconfig", file: file, fields: root).string("current-context")
    }

    /// The entries of a list by name; the first of a name wins.
    func entries(
        _ list: String,
        _ field: String
    ) throws(KubernetesConfigurationError) -> [String: KubeconfigEntry] {
        guard let node = root[list], !node.isNothing else { return [:] }
        guard let sequence = node.sequence else { throw node.malformed(in: file, "\"\(list)\" must be a list") }
        var entries: [String: KubeconfigEntry] = [:]
        for item in sequence {
            guard let name = item.mapping?["name"]?.scalar?.string, !name.isEmpty else {
                throw item.malformed(in: file, "an entry of \"\(list)\" must have a name")
            }
            guard entries[name] == nil else { continue }
            let fields = try mapping(item.mapping?[field], field)
            entries[name] = KubeconfigEntry(name: name, kind: field, file: file, fields: fields)
        }
        return entries
    }

    /// The mapping of a field; an empty one where the field is missing or empty.
    private func mapping(_ node: YAMLNode?, _ field: String) throws(KubernetesConfigurationError) -> YAMLNode.Mapping {
        guard let node, !node.isNothing else { return YAMLNode.Mapping([]) }
        guard let mapping = node.mapping else { throw node.malformed(in: file, "\"\(field)\" must be a mapping") }
        return mapping
    }
}

/// A context, a cluster or a user of a kubeconfig.
struct KubeconfigEntry {
    let name: String
    /// What the entry is: `context`, `cluster` or `user`.
    let kind: String
    /// The file that the entry stands in.
    let file: String
    let fields: YAMLNode.Mapping

    /// Whether a field is there with a value that is not empty.
    func isSet(_ field: String) -> Bool {
        fields[field].map { !$0.isNothing && $0.sequence?.isEmpty != true && $0.mapping?.isEmpty != true } ?? false
    }

    /// The text of a field; nil where it is missing or empty.
    func string(_ field: String) throws(KubernetesConfigurationError) -> String? {
        guard let node = fields[field], !node.isNothing else { return nil }
        guard let scalar = node.scalar else { throw node.malformed(in: file, "\"\(field)\" must be text") }
        return scalar.string
    }

    /// The text of a field that has to be there.
    func requiredString(_ field: String) throws(KubernetesConfigurationError) -> String {
        guard let text = try string(field) else { throw invalid(field, "is missing") }
        return text
    }

    /// A field that is true or false; false where it is missing.
    func flag(_ field: String) throws(KubernetesConfigurationError) -> Bool {
        switch try string(field) {
        case nil, "false": return false
        case "true": return true
        default: throw invalid(field, "must be true or false")
        }
    }

    /// PEM text out of `FIELD-data` (base64), else out of the file that `FIELD` names.
    func pem(_ field: String) throws(KubernetesConfigurationError) -> KubernetesConfiguration.PEM? {
        let owner = "\(kind) \"\(name)\""
        if let base64 = try string(field + "-data") {
            guard let data = Data(base64Encoded: base64, options: .ignoreUnknownCharacters), !data.isEmpty else {
                throw invalid(field + "-data", "is not base64")
            }
            return .init(bytes: Array(data), field: field + "-data", owner: owner, file: file)
        }
        guard let path = try string(field) else { return nil }
        let bytes = try ConfigurationFile.bytes(ConfigurationFile.path(path, namedIn: file))
        return .init(bytes: bytes, field: field, owner: owner, file: file)
    }

    /// The error of a field whose value cannot be used.
    func invalid(_ field: String, _ reason: String) -> KubernetesConfigurationError {
        .invalid(field: field, of: "\(kind) \"\(name)\"", file: file, reason: reason)
    }
}

extension YAMLNode {
    /// Whether the node says nothing: an empty value, `~` or `null`.
    var isNothing: Bool {
        guard let scalar else { return false }
        let nulls = ["~", "null", "Null", "NULL"]
        return scalar.string.isEmpty || (scalar.style == .plain && nulls.contains(scalar.string))
    }

    /// The error that this node is not what it must be.
    func malformed(in file: String, _ reason: String) -> KubernetesConfigurationError {
        .malformed(file: file, line: mark?.line ?? 1, column: mark?.column ?? 1, reason: reason)
    }
}
