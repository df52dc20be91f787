// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore
import ReportStore
import TelemetryModel

/// Figures as `/v1/…` has them.
struct FigureAnswer: Encodable {
    var clusters: Int64 = 0
    var nodes: Int64 = 0
    var tenants: Int64 = 0
    var loadBalancers: Int64 = 0
    var volumes: Int64 = 0
    /// By resource, in base units.
    var capacity: [String: Int64] = [:]
    /// By kind as it was sent.
    var apps: [String: Int64] = [:]

    init(_ figures: [Figure: Int64]) {
        for (figure, value) in figures {
            switch figure {
            case .clusters: clusters = value
            case .nodes: nodes = value
            case .tenants: tenants = value
            case .loadBalancers: loadBalancers = value
            case .volumes: volumes = value
            case .capacity(let resource): capacity[resource] = value
            case .application(let kind): apps[kind] = value
            case .canonicalApplication, .clustersWithApplication: break
            }
        }
    }

    private enum CodingKeys: String, CodingKey {
        case clusters, nodes, tenants, volumes, capacity, apps
        case loadBalancers = "load_balancers"
    }
}

/// `GET /v1/series`.
struct SeriesAnswer: Encodable {
    struct Day: Encodable {
        let day: String
        let all: FigureAnswer
        let established: FigureAnswer
    }

    let days: [Day]

    init(_ totals: [DayTotals]) {
        days = totals.map {
            Day(day: "\($0.day)", all: FigureAnswer($0.all), established: FigureAnswer($0.established))
        }
    }
}

/// A row of `GET /v1/clusters`.
struct ClusterAnswer: Encodable {
    let pseudonym: String
    let firstDay: String
    let establishedSince: String?
    let month: String
    let days: Int
    let reports: Int
    let peaks: FigureAnswer
    let values: [String: [String]]

    init(_ row: ClusterRow, in month: CalendarMonth) {
        pseudonym = "\(row.pseudonym)"
        firstDay = "\(row.firstDay)"
        establishedSince = row.establishedSince.map { "\($0)" }
        self.month = "\(month)"
        days = row.days
        reports = row.reports
        peaks = FigureAnswer(row.peaks)
        values = Dictionary(row.values.map { ($0.key.rawValue, $0.value) }) { $1 }
    }

    private enum CodingKeys: String, CodingKey {
        case pseudonym, month, days, reports, peaks, values
        case firstDay = "first_day"
        case establishedSince = "established_since"
    }
}

/// `GET /v1/clusters` as one document.
struct ClusterPageAnswer: Encodable {
    let clusters: [ClusterAnswer]
    /// How many clusters of this part cannot be read.
    let damaged: Int
    let next: Int?
}

/// `GET /v1/tokens`.
struct TokenListAnswer: Encodable {
    let tokens: [AccessToken.Shown]
}

/// `POST /v1/tokens`.
struct NewTokenAnswer: Encodable {
    /// The token itself, shown this once.
    let token: String
    let id: String
    let role: Role
    let expires: String

    init(_ new: NewToken) {
        token = new.text
        (id, role, expires) = (new.shown.id, new.shown.role, new.shown.expires)
    }
}

extension Response {
    /// Rows, each a JSON document on a line of its own; where there are more, `Link` says where (RFC 8288).
    static func lines(_ lines: [ByteBuffer], next: String?) -> Response {
        var body = ByteBuffer()
        for var line in lines {
            body.writeBuffer(&line)
            body.writeString("\n")
        }
        var headers: HTTPFields = [.contentType: "application/x-ndjson"]
        if let next, let name = HTTPField.Name("Link") { headers[name] = "<\(next)>; rel=\"next\"" }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: body))
    }
}
