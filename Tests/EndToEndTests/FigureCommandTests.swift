// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel
import TelemetryTesting
import Testing

@Suite("The commands that show figures")
struct FigureCommandTests {
    private static let topics = [
        "clusters", "nodes", "tenants", "load_balancers", "volumes", "capacity", "applications", "cozystack_version",
        "kubernetes_version",
    ]
    private static let windows = ["month", "quarter", "year"]

    @Test("overview, series and breakdown print with --json what the backend answers, for everything that there is")
    func json() async throws {
        try await FigureFixture.with { fixture in
            func expect(_ arguments: [String], equal path: String, but differing: String? = nil) async throws {
                let printed = try FigureFixture.document(
                    Data(try await fixture.output(of: arguments + ["--json"]).utf8)
                )
                let answer = try await fixture.answer(path)
                let keys = printed.allKeys.compactMap { $0 as? String }.filter { $0 != differing }
                #expect(Set(keys) == Set(answer.allKeys.compactMap { $0 as? String }.filter { $0 != differing }))
                for key in keys {
                    #expect((printed[key] as? NSObject) == (answer[key] as? NSObject), "\(path), \(key)")
                }
            }
            try await expect(["overview"], equal: "/api/overview", but: "generated_at")
            for dimension in Dimension.allCases.map(\.rawValue) {
                try await expect(["breakdown", dimension], equal: "/api/breakdowns?by=\(dimension)")
            }
            for topic in Self.topics {
                for window in Self.windows {
                    try await expect(
                        ["series", topic, "--window", window, "--months", "13"],
                        equal: "/api/series?of=\(topic)&window=\(window)&months=13"
                    )
                }
            }
        }
    }

    @Test("tables have the backend's figures, with a letter of curve a month and a bar a value")
    func tables() async throws {
        try await FigureFixture.with { fixture in
            let series = try await fixture.output(of: ["series", "nodes"]).split(separator: "\n")
            #expect(series.first?.contains("in a month") == true && series.first?.contains("in a year") == true)
            let points = try #require(try await fixture.answer("/api/series?of=nodes")["points"] as? [NSDictionary])
            let last = try #require((points.last?["values"] as? [String: Int])?["all"])
            let row = try #require(series.first { $0.hasPrefix("all ") })
            #expect(row.contains("   \(last)   "), "\(row)")
            #expect(row.filter { "▁▂▃▄▅▆▇█".contains($0) }.count == 14, "\(row)")
            #expect(row.contains("█"))

            let breakdown = try await fixture.output(of: ["breakdown", "size", "--window", "year"])
            let periods = try await fixture.answer("/api/breakdowns?by=size")["periods"] as? [String: NSDictionary]
            let values = try #require(periods?["year"]?["values"] as? [NSDictionary])
            #expect(!values.isEmpty)
            for value in values {
                let name = try #require(value["value"] as? String)
                let line = try #require(breakdown.split(separator: "\n").first { $0.hasPrefix(name + " ") })
                let numbers = line.split(separator: " ").suffix(2).map(String.init)
                #expect(numbers == [value["clusters"], value["clusters_at_end"]].map { "\($0 ?? "")" }, "\(line)")
                #expect(line.contains("█"), "\(line)")
            }
        }
    }

    @Test(
        "an export has every public figure of its months once, as CSV and as NDJSON, in a file that is there at its end"
    )
    func export() async throws {
        try await FigureFixture.with { fixture in
            let (directory, month) = (try TemporaryDirectory(), UTCInstant.now().month)
            let file = directory.path + "/fleet.csv"
            try "of yesterday".write(toFile: file, atomically: true, encoding: .utf8)
            #expect(try await fixture.output(of: ["export", "--months", "2", "--output", file]).isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["fleet.csv"])
            let text = try String(contentsOfFile: file, encoding: .utf8)
            #expect(text.hasPrefix("source,of,period,start,end,name,value,at_end\r\n"))
            let csv = text.components(separatedBy: "\r\n").dropFirst().filter { !$0.isEmpty }.map(Self.fields)
            #expect(Set(csv).count == csv.count)

            let lines = try await fixture.output(of: ["export", "--months", "2", "--format", "ndjson"])
            let rows = try lines.split(separator: "\n").map { try FigureFixture.document(Data($0.utf8)) }
            let columns = ["source", "of", "period", "start", "end", "name", "value", "at_end"]
            func shown(_ value: Any?) -> String { value.map { "\($0)" } ?? "" }
            #expect(rows.map { row in columns.map { shown(row[$0]) } } == csv)

            #expect(csv.contains { $0[0] == "overview" && $0[3] == (month - 1).firstDay.description })
            for topic in Self.topics {
                let points = try await fixture.answer("/api/series?of=\(topic)&months=2")["points"] as? [NSDictionary]
                let expected = try #require(points).flatMap { point in
                    ((point["values"] as? [String: Int]) ?? [:]).map { name, value in
                        [shown(point["start"]), shown(point["end"]), name, "\(value)"]
                    }
                }
                let found = csv.filter { $0[0] == "series" && $0[1] == topic && $0[2] == "month" }
                #expect(Set(found.map { Array($0[3...6]) }) == Set(expected), "\(topic)")
            }
            for dimension in Dimension.allCases.map(\.rawValue) {
                let periods =
                    try await fixture.answer("/api/breakdowns?by=\(dimension)")["periods"] as? [String: NSDictionary]
                let expected = try #require(periods).flatMap { name, period in
                    ((period["values"] as? [NSDictionary]) ?? []).map { value in
                        [name, shown(period["start"]), shown(period["end"])]
                            + ["value", "clusters", "clusters_at_end"].map { shown(value[$0]) }
                    }
                }
                let end = month.lastDay.description
                let found = csv.filter { $0[0] == "breakdown" && $0[1] == dimension && $0[4] == end }
                #expect(Set(found.map { Array($0[2...]) }) == Set(expected), "\(dimension)")
            }
        }
    }

    @Test(
        "an export begins no earlier than backends answer, and goes where a link leads, also to a file that is not there"
    )
    func beginning() async throws {
        try await FigureFixture.with { fixture in
            let directory = try TemporaryDirectory()
            let (link, file) = (directory.path + "/link.csv", directory.path + "/fleet.csv")
            for target in ["second.csv", file] {
                let name = target == file ? directory.path + "/second.csv" : link
                try FileManager.default.createSymbolicLink(atPath: name, withDestinationPath: target)
            }
            let months = ["--months", "60", "--year", "2024", "--month", "2"]
            #expect(try await fixture.output(of: ["export", "--output", link] + months).isEmpty)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "second.csv")
            let rows = try String(contentsOfFile: file, encoding: .utf8).components(separatedBy: "\r\n").dropFirst()
            let overviews = rows.map(Self.fields).filter { $0[0] == "overview" && $0[2] == "month" }
            #expect(Set(overviews.map { $0[3] }) == ["2024-01-01", "2024-02-01"])
            let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
            #expect(Set(names) == ["link.csv", "second.csv", "fleet.csv"])
        }
    }

    @Test("an export waits for its turn where a backend takes fewer requests at once than it has")
    func patience() async throws {
        let limits = ["--rate-limits", "on", "--rate-network", "60", "--burst-network", "40"]
        try await Server.with(limits) { server in
            let exported = try await RunningProgram.run(["export", "--url", server.url])
            #expect(exported.status == 0, "\(exported.errors)")
        }
        let answers = [
            StandInBackend.Answer(status: 429, fields: ["Retry-After": "1"], body: "{}"),
            .init(status: 403, body: #"{"error": "what came after it"}"#),
        ]
        try await StandInBackend.with(answers[0], answers[1]) { backend in
            let exported = try await RunningProgram.run(["export", "--url", backend.url])
            #expect(exported.errors.contains("what came after it"), "\(exported.errors)")
        }
    }

    @Test("a viewer's token shows what the public figures fold, and is never needed on the command line")
    func token() async throws {
        try await FigureFixture.with { fixture in
            let data = fixture.server.directory.path
            let created = try await RunningProgram.run([
                "admin", "token", "create", "--role", "viewer", "--data-dir", data,
            ])
            let token = created.output.trimmingCharacters(in: .newlines)
            let file = data + "/viewer.token"
            try created.output.write(toFile: file, atomically: true, encoding: .utf8)
            let admin = ["--admin-url", fixture.server.adminURL]
            let shown = try await RunningProgram.run(
                ["breakdown", "kernel", "--json"] + admin,
                environment: ["COZY_TELEMETRY_TOKEN": token]
            )
            let answer = try await fixture.answer("/v1/breakdowns/kernel", token: token)
            #expect(try FigureFixture.document(Data(shown.output.utf8)) == answer)
            let whole = try await RunningProgram.run(["overview", "--json", "--token-file", file] + admin)
            let overview = try await fixture.answer("/v1/overview", token: token)["periods"] as? NSDictionary
            #expect(try FigureFixture.document(Data(whole.output.utf8))["periods"] as? NSDictionary == overview)
            let table = try await RunningProgram.run(["breakdown", "kernel", "--token-file", file] + admin)
            #expect(table.output.contains("not to be published"))

            let none = try await RunningProgram.run(["overview"] + admin)
            #expect(none.status == 64 && none.errors.contains("COZY_TELEMETRY_TOKEN"), "\(none.errors)")
            let wrong = try await RunningProgram.run(["overview"] + admin, environment: ["COZY_TELEMETRY_TOKEN": "x"])
            #expect(wrong.status == 69 && wrong.errors.contains("admin token create --role viewer"), "\(wrong.errors)")
            let stray = try await RunningProgram.run(["overview", "--token-file", file, "--url", fixture.server.url])
            #expect(stray.status == 64 && stray.errors.contains("--admin-url"))
        }
    }

    /// The fields of a line of CSV in which no field has a line break.
    private static func fields(_ line: String) -> [String] {
        var (fields, isQuoted) = ([""], false)
        for letter in line {
            switch letter {
            case "\"": isQuoted.toggle()
            case "," where !isQuoted: fields.append("")
            default: fields[fields.count - 1].append(letter)
            }
        }
        return fields
    }
}
