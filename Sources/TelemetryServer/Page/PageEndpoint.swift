// SPDX-License-Identifier: Apache-2.0

import Gzip
import HTTPTypes
import Hummingbird
import NIOCore
import TelemetryModel

/// `GET /`: the public page of a window, `?month=YYYY-MM&window=month|quarter|year`.
///
/// A page is made at most once a minute, whoever asks for it.
actor PageEndpoint {
    /// Which page.
    private struct Query: Hashable {
        /// The last month; nil for the latest that is worth showing.
        let month: CalendarMonth?
        let length: Window.Length
    }

    /// A page that was made.
    private struct Made {
        let instant: UTCInstant
        let document: PackedDocument
    }

    /// So long a page is shown before it is made anew, in seconds.
    private static let freshSeconds: Int64 = 60

    private let series: SeriesEndpoint
    private let templates: PageTemplates
    private var made: [Query: Made] = [:]
    private var making: [Query: Task<PackedDocument, any Error>] = [:]

    /// - Parameters:
    ///   - series: What answers curves.
    ///   - templates: The templates.
    init(series: SeriesEndpoint, templates: PageTemplates) {
        (self.series, self.templates) = (series, templates)
    }

    /// Answers with the page; errors are pages too.
    nonisolated func answer(_ request: Request) async throws -> Response {
        do {
            let query = Query(month: try request.pageMonth(at: series.now()), length: try request.windowLength())
            return try await page(query).response(
                to: request,
                headers: PageHeaders.page + [.cacheControl: "public, max-age=\(Self.freshSeconds)"]
            )
        } catch {
            guard let refusal = Refusal(error) else { throw error }
            var response = Response(
                status: refusal.status,
                headers: PageHeaders.page + refusal.headers + [.cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: templates.failure(refusal)))
            )
            response.headers[.contentType] = PageHeaders.html
            return response
        }
    }

    /// The page as it is now, or was less than a minute ago.
    private func page(_ query: Query) async throws -> PackedDocument {
        let now = series.now()
        if let made = made[query], (0..<Self.freshSeconds).contains(now - made.instant) { return made.document }
        if let task = making[query] { return try await task.value }
        let task = Task { try await make(query) }
        making[query] = task
        defer { making[query] = nil }
        let document = try await task.value
        made = made.filter { (0..<Self.freshSeconds).contains(now - $0.value.instant) }
        made[query] = Made(instant: now, document: document)
        return document
    }

    private nonisolated func make(_ query: Query) async throws -> PackedDocument {
        let figures = try await PageFigures(query.length, endingWith: query.month, from: series)
        return PackedDocument(Array(templates.page(PageContent(figures)).utf8), type: PageHeaders.html)
    }
}

extension Request {
    /// The month that `month=2026-03` names; nil where it is not given.
    ///
    /// - Throws: `Refusal` with 400, also where it has not begun.
    fileprivate func pageMonth(at instant: UTCInstant) throws(Refusal) -> CalendarMonth? {
        let values = uri.queryParameters.getAll("month")
        guard let text = values.first else { return nil }
        guard values.count == 1, let day = UTCDay(iso8601: text + "-01") else {
            throw .badRequest("give month once, such as 2026-03")
        }
        guard day.month <= instant.month else { throw .badRequest("the month \(day.month) has not begun yet") }
        return day.month
    }
}

extension UTCInstant {
    /// The seconds from another moment to this one.
    fileprivate static func - (later: Self, earlier: Self) -> Int64 {
        later.secondsSinceEpoch - earlier.secondsSinceEpoch
    }
}
