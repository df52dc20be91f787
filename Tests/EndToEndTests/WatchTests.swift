// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryTesting
import Testing

@Suite("Figures that are watched")
struct WatchTests {
    @Test("in a pipe each time is a line of JSON; a backend that is away is said once, waited for, and answers again")
    func pipe() async throws {
        let directory = try TemporaryDirectory()
        let first = try await Server.start(directory: directory)
        let port = try #require(first.url.split(separator: ":").last)
        let watch = try RunningProgram(["overview", "--watch", "1", "--url", first.url])
        for _ in 0..<2 {
            let line = try #require(await watch.outputLine(containing: "{"))
            #expect(try FigureFixture.document(Data(line.utf8))["periods"] != nil)
        }
        first.program.signal(SIGTERM)
        #expect(await first.program.ending().status == 0)
        let away = try #require(await watch.line(containing: "no answer from"))
        #expect(away.contains("asking again every 1 s"), "\(away)")
        let second = try await Server.start(["--listen-addr", "127.0.0.1:\(port)"], directory: directory)
        _ = try await second.post(cluster: "new")
        _ = try #require(await watch.line(containing: "answers again"))
        _ = try #require(await watch.outputLine(containing: #""clusters":1,"#))
        watch.signal(SIGINT)
        let ending = await watch.ending()
        #expect(ending.status == 0)
        #expect(ending.errors.components(separatedBy: "no answer from").count == 2, "\(ending.errors)")
        second.program.signal(SIGTERM)
        #expect(await second.program.ending().status == 0)
    }

    @Test("on a terminal it is drawn in place; Control-C leaves the last figures and a whole terminal")
    func terminal() async throws {
        try await Server.with { server in
            let keyboard = Pipe()
            let watch = try RunningProgram.onTerminal(
                ["overview", "--watch", "1", "--url", server.url],
                rows: 6,
                input: keyboard
            )
            for _ in 0..<2 { _ = try #require(await watch.outputLine(containing: "Clusters")) }
            try keyboard.fileHandleForWriting.write(contentsOf: Data([3]))
            let ending = await watch.ending()
            try keyboard.fileHandleForWriting.close()
            #expect(ending.status == 0)
            let screens = ending.output.components(separatedBy: "\u{1B}[?1049")
            #expect(screens.count == 3, "\(ending.output)")
            let drawn = screens[1].components(separatedBy: "\u{1B}[H").dropFirst()
            #expect(drawn.count >= 2)
            for picture in drawn { #expect(picture.components(separatedBy: "\r\n").count == 5, "\(picture)") }
            #expect(drawn.last?.contains("every 1 s, Control-C ends it") == true)
            #expect(screens[2].hasPrefix("l") && screens[2].contains("Tenants"), "\(screens[2])")
        }
    }

    @Test("what will not pass ends it, also later")
    func refused() async throws {
        let overview = try await Self.anyOverview()
        let answers = [StandInBackend.Answer(body: overview), .init(status: 403, body: #"{"error": "no"}"#)]
        try await StandInBackend.with(answers[0], answers[1]) { backend in
            let ending = try await RunningProgram.run(["overview", "--watch", "1", "--url", backend.url])
            #expect(ending.status == 69)
            #expect(ending.errors.contains("answered 403: no"), "\(ending.errors)")
            #expect(ending.output.split(separator: "\n").count == 1)
        }
    }

    private static func anyOverview() async throws -> String {
        var overview = ""
        try await Server.with { server in
            overview = try await RunningProgram.run(["overview", "--json", "--url", server.url]).output
        }
        return overview
    }
}
