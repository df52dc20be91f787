// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Yams

extension ReportBundle {
    /// The most bytes of a file.
    public static let largestFile = 32 << 20

    /// Reads a file: exactly the form that is written, in any order and with any white space.
    ///
    /// Signatures are for `verify`.
    ///
    /// - Throws: `BundleError.malformed`.
    public init(reading file: [UInt8]) throws(BundleError) {
        let root = try BundleNode(file)
        let members = try root.members(["format", "requests", "url"])
        guard try members["format"]?.text == Self.format else {
            throw root.error("\"format\" must be \"\(Self.format)\"")
        }
        guard let url = members["url"], let requests = members["requests"] else { throw root.error("it is incomplete") }
        let endpoint = try url.text
        guard (try? AgentSettings(endpoint: endpoint, environment: [:])) != nil else {
            throw url.error(AgentError.invalidEndpoint.description)
        }
        self.init(
            endpoint: endpoint,
            requests: try requests.items.map { node throws(BundleError) in try Self.request(node, to: endpoint) }
        )
        guard !self.requests.isEmpty else { throw requests.error("there is no report in it") }
    }

    private static func request(_ node: BundleNode, to endpoint: String) throws(BundleError) -> TelemetryRequest {
        let members = try node.members(["body", "headers"])
        guard let body = members["body"], let fields = try members["headers"]?.members(headerNames) else {
            throw node.error("it is incomplete")
        }
        var headers: [(name: String, value: String)] = []
        for name in headerNames {
            guard let field = fields[name] else { continue }
            let value = try field.text
            guard value.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) else {
                throw field.error("a header must be one line of ASCII")
            }
            headers.append((name, value))
        }
        return TelemetryRequest(endpoint: endpoint, headers: headers, body: Array(try body.text.utf8))
    }
}

/// A value in the file, with its place.
///
/// The file is read by a reader of YAML, of which JSON is a part, because that one knows where everything stands.
private struct BundleNode {
    private let node: Node

    private init(_ node: Node) {
        self.node = node
    }

    /// The value that a file is.
    init(_ file: [UInt8]) throws(BundleError) {
        guard file.count <= ReportBundle.largestFile, let text = String(validating: file, as: UTF8.self) else {
            throw .malformed(line: 1, column: 1, reason: "it is no text, or larger than any bundle")
        }
        // Within braces, and with texts in double quotation marks alone, YAML says nothing else than JSON.
        guard text.drop(while: \.isWhitespace).first == "{" else {
            throw .malformed(line: 1, column: 1, reason: "an object must stand here")
        }
        do {
            guard let node = try Yams.compose(yaml: text) else {
                throw BundleError.malformed(line: 1, column: 1, reason: "it is empty")
            }
            self.node = node
        } catch let error as BundleError {
            throw error
        } catch YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _)
        {
            throw .malformed(line: mark.line, column: mark.column, reason: "it is not JSON: \(problem)")
        } catch YamlError.duplicatedKeysInMapping(_, let context) {
            throw .malformed(line: context.mark.line, column: context.mark.column, reason: "a name stands twice")
        } catch {
            throw .malformed(line: 1, column: 1, reason: "it is not JSON")
        }
    }

    /// An error at this place.
    func error(_ reason: String) -> BundleError {
        .malformed(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1, reason: reason)
    }

    /// The value as a text.
    var text: String {
        get throws(BundleError) {
            guard let scalar = node.scalar, scalar.style == .doubleQuoted else {
                throw error("a text in quotation marks must stand here")
            }
            return scalar.string
        }
    }

    /// The values of a list.
    var items: [BundleNode] {
        get throws(BundleError) {
            guard let sequence = node.sequence else { throw error("a list must stand here") }
            return sequence.map(BundleNode.init)
        }
    }

    /// The values of an object that has exactly these names.
    func members(_ names: [String]) throws(BundleError) -> [String: BundleNode] {
        guard let mapping = node.mapping else { throw error("an object must stand here") }
        var members: [String: BundleNode] = [:]
        for (key, value) in mapping {
            let name = try BundleNode(key).text
            guard names.contains(name) else {
                throw BundleNode(key).error(
                    "there is no member of that name; there are \(names.joined(separator: ", "))"
                )
            }
            members[name] = BundleNode(value)
        }
        for name in names where members[name] == nil { throw error("\"\(name)\" is missing") }
        return members
    }
}
