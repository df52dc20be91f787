// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import TelemetryModel

/// A URL of VictoriaMetrics; a user and a password in it become a header, as they have no place in a request line.
struct DatabaseURL: Sendable {
    /// The URL without user, password and a slash at its end.
    let text: String
    /// The value of `Authorization`; nil where there is no user.
    private let authorization: String?

    /// Takes a URL apart.
    init(_ url: String) {
        let url = url.hasSuffix("/") ? String(url.dropLast()) : url
        guard let scheme = url.firstRange(of: "://") else {
            (text, authorization) = (url, nil)
            return
        }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else {
            (text, authorization) = (url, nil)
            return
        }
        let user = String(authority[..<at])
        text = String(url[..<scheme.upperBound] + url[url.index(after: at)...])
        authorization = "Basic " + Data((user.removingPercentEncoding ?? user).utf8).base64EncodedString()
    }

    /// The URL of another path on the same host.
    func root(_ path: String) -> String {
        guard let scheme = text.firstRange(of: "://") else { return text + path }
        return String(text[..<scheme.upperBound] + text[scheme.upperBound...].prefix { $0 != "/" }) + path
    }

    /// A request to a URL that begins with this one's host.
    func request(_ method: HTTPMethod, _ url: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = method
        if let authorization { request.headers.add(name: "Authorization", value: authorization) }
        return request
    }
}

/// Why there is no answer, without addresses.
struct Unanswered: Error {
    let reason: String
}

extension HTTPClient {
    /// Does a request and reads the whole answer.
    ///
    /// - Throws: `Unanswered`.
    func answer(
        to request: HTTPClientRequest,
        within limit: TimeAmount,
        upTo bytes: Int
    ) async throws(Unanswered) -> (status: Int, body: ByteBuffer) {
        do {
            let response = try await execute(request, timeout: limit)
            return (Int(response.status.code), try await response.body.collect(upTo: bytes))
        } catch let error as HTTPClientError {
            throw Unanswered(reason: error.shortDescription)
        } catch {
            throw Unanswered(reason: "the connection failed (\(type(of: error)))")
        }
    }

    /// Does a request for something that has to be 200 and all that there is.
    ///
    /// - Throws: `FiguresUnavailable`.
    func wholeAnswer(
        to request: HTTPClientRequest,
        within limit: TimeAmount,
        upTo bytes: Int
    ) async throws(FiguresUnavailable) -> ByteBuffer {
        let answer: (status: Int, body: ByteBuffer)
        do throws(Unanswered) {
            answer = try await self.answer(to: request, within: limit, upTo: bytes)
        } catch {
            throw FiguresUnavailable(error.reason)
        }
        guard answer.status == 200 else {
            let hint =
                answer.status == 422 ? ", as one of its limits is too low, such as -search.maxUniqueTimeseries" : ""
            throw FiguresUnavailable("VictoriaMetrics answered \(answer.status)\(hint)")
        }
        return answer.body
    }
}

/// What VictoriaMetrics answers to questions in JSON.
struct DatabaseAnswer<Content: Decodable>: Decodable {
    private let status: String
    private let isPartial: Bool?
    private let data: Content

    /// Reads an answer that has to be a success, and whole.
    ///
    /// - Throws: `FiguresUnavailable`.
    static func content(of body: ByteBuffer) throws(FiguresUnavailable) -> Content {
        guard let answer = try? JSONDecoder().decode(Self.self, from: body), answer.status == "success" else {
            throw FiguresUnavailable("VictoriaMetrics answered what is no result")
        }
        guard answer.isPartial != true else {
            throw FiguresUnavailable("VictoriaMetrics answered without a part of its storage")
        }
        return answer.data
    }
}
