// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import TelemetryModel

/// Something that can be asked of `/v1/…` on the private listener.
enum AccessOperation: Equatable {
    case overview
    case series
    case breakdowns(Dimension)
    case insight(Insight)
    case live
    case clusters
    case eraseCluster(Pseudonym)
    /// The cluster is named by its id, in the body.
    case eraseByID
    case listTokens
    case createToken
    case revokeToken(String)
    case audit

    /// The least role that may do it.
    var role: Role {
        switch self {
        case .overview, .series, .breakdowns, .insight, .live: .viewer
        case .clusters: .analyst
        case .eraseCluster, .eraseByID, .listTokens, .createToken, .revokeToken, .audit: .admin
        }
    }

    /// What the audit log calls it.
    var name: String {
        switch self {
        case .overview: "overview.read"
        case .series: "series.read"
        case .breakdowns: "breakdowns.read"
        case .insight: "insights.read"
        case .live: "live.read"
        case .clusters: "clusters.read"
        case .eraseCluster, .eraseByID: "cluster.erase"
        case .listTokens: "tokens.list"
        case .createToken: "token.create"
        case .revokeToken: "token.revoke"
        case .audit: "audit.read"
        }
    }

    /// What it is done to, where that may be told: a pseudonym, a token's number, a dimension, an insight.
    var object: String? {
        switch self {
        case .breakdowns(let dimension): dimension.rawValue
        case .insight(let insight): insight.rawValue
        case .eraseCluster(let pseudonym): "\(pseudonym)"
        case .revokeToken(let id): id
        case .overview, .series, .live, .clusters, .eraseByID, .listTokens, .createToken, .audit: nil
        }
    }
}

extension AccessOperation {
    /// The operation of a method and a path.
    ///
    /// - Throws: `Refusal` with 404, 405 or 400.
    init(_ method: HTTPRequest.Method, _ path: String) throws(Refusal) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst(2).map(String.init)
        let operations = try Self.operations(of: parts)
        let asked = method == .head ? .get : method
        guard let operation = operations.first(where: { $0.method == asked })?.operation else {
            let methods = operations.map(\.method.rawValue)
            throw .method(
                taken: (methods.contains("GET") ? methods + ["HEAD"] : methods).sorted().joined(separator: ", ")
            )
        }
        self = operation
    }

    private typealias Entry = (method: HTTPRequest.Method, operation: AccessOperation)

    /// What can be asked of a path, which is given by its parts behind `/v1/`.
    private static func operations(of parts: [String]) throws(Refusal) -> [Entry] {
        switch (parts.first, parts.count) {
        case ("overview", 1): return [(.get, .overview)]
        case ("series", 1): return [(.get, .series)]
        case ("live", 1): return [(.get, .live)]
        case ("clusters", 1): return [(.get, .clusters)]
        case ("erasures", 1): return [(.post, .eraseByID)]
        case ("tokens", 1): return [(.get, .listTokens), (.post, .createToken)]
        case ("audit", 1): return [(.get, .audit)]
        case ("breakdowns", 2): return [(.get, .breakdowns(try dimension(parts[1])))]
        case ("insights", 2): return [(.get, .insight(try insight(parts[1])))]
        case ("clusters", 2): return [(.delete, .eraseCluster(try pseudonym(parts[1])))]
        case ("tokens", 2): return [(.delete, .revokeToken(try token(parts[1])))]
        default: throw Refusal(status: .notFound, message: "there is nothing at this path")
        }
    }

    private static func dimension(_ text: String) throws(Refusal) -> Dimension {
        guard let dimension = Dimension(rawValue: text) else {
            let names = Dimension.allCases.map(\.rawValue).joined(separator: ", ")
            throw Refusal(status: .notFound, message: "there is no such dimension; there are \(names)")
        }
        return dimension
    }

    private static func insight(_ text: String) throws(Refusal) -> Insight {
        guard let insight = Insight(rawValue: text) else {
            let names = Insight.allCases.map(\.rawValue).joined(separator: ", ")
            throw Refusal(status: .notFound, message: "there is no such insight; there are \(names)")
        }
        return insight
    }

    private static func pseudonym(_ text: String) throws(Refusal) -> Pseudonym {
        guard let pseudonym = Pseudonym(hexadecimal: text) else {
            throw .badRequest("a cluster is named by its pseudonym, 32 hexadecimal digits")
        }
        return pseudonym
    }

    private static func token(_ text: String) throws(Refusal) -> String {
        guard AccessToken.isID(text) else { throw .badRequest("a token is named by its number, as the list has it") }
        return text
    }
}
