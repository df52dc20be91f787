// SPDX-License-Identifier: Apache-2.0

import Yams

/// A part of a YAML document.
typealias YAMLNode = Yams.Node

/// What is wrong with YAML and where, without the text around it, which may hold secrets.
struct YAMLProblem {
    let line: Int
    let column: Int
    let reason: String

    /// Takes from an error of the parser what may be shown.
    init(_ error: any Error) {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            (line, column, reason) = (mark.line, mark.column, problem)
        case .duplicatedKeysInMapping(_, let context):
            (line, column, reason) = (context.mark.line, context.mark.column, "a key stands twice in a mapping")
        default:
            (line, column, reason) = (1, 1, "the file is not YAML")
        }
    }

    /// The problem as that of a file.
    func error(in file: String) -> KubernetesConfigurationError {
        .malformed(file: file, line: line, column: column, reason: "not YAML: \(reason)")
    }
}

extension JSONValue {
    /// The value of a YAML document; nil where the text is not one.
    ///
    /// An empty document is null.
    ///
    /// Plain scalars are booleans and numbers as in YAML 1.2's core schema (and `yes`/`no`, `on`/`off` are text).
    public init?(yaml text: String) {
        let node: YAMLNode?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            return nil
        }
        self = node.map(JSONValue.init(_:)) ?? .null
    }

    private init(_ node: YAMLNode) {
        switch node {
        case .mapping(let mapping):
            let pairs = mapping.map { ($0.key.scalar?.string ?? "", JSONValue($0.value)) }
            var members = Dictionary(pairs) { first, _ in first }
            // A merge key stands for the members of another mapping, or of several, that are not there themselves.
            switch members.removeValue(forKey: "<<") {
            case .object(let merged): members.merge(merged) { own, _ in own }
            case .array(let list):
                for case .object(let merged) in list { members.merge(merged) { own, _ in own } }
            case let other: members["<<"] = other
            }
            self = .object(members)
        case .sequence(let sequence):
            self = .array(sequence.map(JSONValue.init))
        case .scalar(let scalar):
            self = Self.plain(scalar)
        case .alias:
            self = .null
        }
    }

    /// The value of a scalar by its text, unless it is quoted.
    private static func plain(_ scalar: YAMLNode.Scalar) -> JSONValue {
        guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
        switch scalar.string {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: return Double(scalar.string).map { .number($0) } ?? .string(scalar.string)
        }
    }
}
