// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryModel
import TelemetryTesting
import Testing

@testable import TelemetryAgent

@Suite("What waits to be sent")
struct OutboxTests {
    private let recorder = LogRecorder()
    private let clock = TestClock(UTCInstant(secondsSinceEpoch: 1_000_000))

    private func outbox(_ directory: String? = nil, limit: Int = 1_000) throws -> Outbox {
        let spool = try directory.map(Spool.init)
        return Outbox(spool: spool, limit: limit, now: { [clock] in clock.now }, logger: recorder.logger)
    }

    /// The reports that wait, in the order in which they are sent; nothing waits afterwards.
    private func drain(_ outbox: Outbox) async -> [WaitingReport] {
        var reports: [WaitingReport] = []
        while let report = await outbox.next(after: nil) {
            reports.append(report)
            await outbox.remove(report)
        }
        return reports
    }

    @Test("the newest of each report waits, and one that is sent meanwhile does not take its successor away")
    func newest() async throws {
        let outbox = try outbox()
        let (old, new) = (WaitingReport.example(.v1Operator, "a 1\n"), WaitingReport.example(.v1Operator, "a 2\n"))
        let other = WaitingReport.example(.v1Controller, "b 1\n")
        await outbox.replace(with: [old, other])
        #expect(await outbox.next(after: nil) == old)
        await outbox.replace(with: [new])
        #expect(await outbox.count == 2)
        await outbox.remove(old)
        #expect(await drain(outbox) == [new, other])
    }

    @Test("what was collected before an instant is forgotten, on disk too")
    func clearingBefore() async throws {
        let directory = try TemporaryDirectory()
        let outbox = try Outbox(spoolDirectory: directory.path, logger: LogRecorder().logger)
        let now = UTCInstant.now()
        let old = WaitingReport(.v1Operator, Array("a 1\n".utf8), collectedAt: now.advanced(bySeconds: -60))
        let new = WaitingReport(.v1Controller, Array("b 1\n".utf8), collectedAt: now)
        await outbox.replace(with: [old, new])
        await outbox.clear(before: now)
        #expect(await drain(outbox) == [new])
        await outbox.replace(with: [old, new])
        await outbox.clear(before: now)
        let again = try Outbox(spoolDirectory: directory.path, logger: LogRecorder().logger)
        #expect(await drain(again) == [new])
    }

    @Test("of two reports neither has every turn")
    func turns() async throws {
        let outbox = try outbox()
        let reports = [WaitingReport.example(.v1Operator, "a 1\n"), .example(.v1Controller, "b 1\n")]
        await outbox.replace(with: reports)
        #expect(await outbox.next(after: .v1Operator) == reports[1])
        #expect(await outbox.next(after: .v1Controller) == reports[0])
        await outbox.remove(reports[1])
        #expect(await outbox.next(after: .v1Operator) == reports[0])
    }

    @Test("a report of everything and those of the parts take each other's place")
    func generations() async throws {
        let outbox = try outbox()
        let parts = [WaitingReport.example(.v1Operator, "a 1\n"), .example(.v1Controller, "b 1\n")]
        await outbox.replace(with: [.example(.v0)])
        await outbox.replace(with: parts)
        #expect(await outbox.count == 2)
        await outbox.replace(with: [.example(.v0)])
        #expect(await drain(outbox) == [.example(.v0)])
    }

    @Test("where there is too much, the oldest goes and it is said; one that does not fit at all is not kept")
    func bounds() async throws {
        let outbox = try outbox(limit: 100)
        let old = WaitingReport.example(.v1Controller, String(repeating: "b", count: 60))
        let new = WaitingReport.example(.v1Operator, String(repeating: "a", count: 60))
        await outbox.replace(with: [old])
        await outbox.replace(with: [new])
        #expect(await drain(outbox) == [new])
        await outbox.replace(with: [.example(.v0, String(repeating: "c", count: 101))])
        #expect(await drain(outbox).isEmpty)
        let line = "warning Reports are too large to wait, and dropped reports=1"
        #expect(recorder.recorded == [line, line])
    }

    @Test("nothing older than a day is sent")
    func age() async throws {
        let outbox = try outbox()
        await outbox.replace(with: [.example()])
        clock.now = clock.now.advanced(bySeconds: 86_400)
        #expect(await outbox.next(after: nil) != nil)
        clock.now = clock.now.advanced(bySeconds: 1)
        #expect(await outbox.next(after: nil) == nil)
    }

    @Test("what waits is there again after a restart, once, and readable by nobody else")
    func restart() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/deep/spool"
        let reports = [WaitingReport.example(.v1Operator, "a 1\n"), .example(.v1Controller, "b 1\n", at: 999_999)]
        let first = try outbox(path)
        await first.replace(with: [.example(.v1Operator, "a 0\n")])
        await first.replace(with: reports)
        let attributes = try FileManager.default.attributesOfItem(atPath: path + "/v1Operator.report")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o700)
        let second = try outbox(path)
        #expect(await drain(second) == reports)
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
        #expect(await drain(try outbox(path)).isEmpty)
    }

    @Test("clearing removes the files too, as does a report that takes the place of another kind")
    func clearing() async throws {
        let directory = try TemporaryDirectory()
        let outbox = try outbox(directory.path)
        await outbox.replace(with: [.example(.v1Operator, "a 1\n"), .example(.v1Controller, "b 1\n")])
        await outbox.replace(with: [.example(.v0)])
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["v0.report"])
        try Data().write(to: URL(filePath: directory.path + "/v0.report.new"))
        await outbox.clear()
        #expect(await outbox.next(after: nil) == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }

    @Test(
        "files that are damaged, stale or too large are removed and not sent",
        arguments: [
            { _ in Data() }, { $0.dropLast() }, { $0 + Data("c 1\n".utf8) }, { Data($0.map { $0 == 50 ? 51 : $0 }) },
            { Data("x".utf8) + $0 }, { _ in Data(repeating: 65, count: 2_000) }, { $0.prefix(30) },
        ] as [@Sendable (Data) -> Data]
    )
    func damage(change: @Sendable (Data) -> Data) async throws {
        let directory = try TemporaryDirectory()
        await (try outbox(directory.path)).replace(with: [.example()])
        let file = URL(filePath: directory.path + "/v0.report")
        try change(try Data(contentsOf: file)).write(to: file)
        #expect(await drain(try outbox(directory.path)).isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
        #expect(recorder.recorded.isEmpty)
    }

    @Test("a file that waited for over a day, or comes from the future, is removed", arguments: [-86_401, 86_401])
    func staleFiles(age: Int64) async throws {
        let directory = try TemporaryDirectory()
        await (try outbox(directory.path)).replace(with: [.example(.v0, at: 1_000_000 + age)])
        #expect(await drain(try outbox(directory.path)).isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }

    @Test("a disk that takes nothing does not stop anything, and is said once until it works again")
    func unwritable() async throws {
        let directory = try TemporaryDirectory()
        let outbox = try outbox(directory.path + "/spool")
        try FileManager.default.removeItem(atPath: directory.path + "/spool")
        for number in 0..<3 {
            let report = WaitingReport.example(.v0, "a \(number)\n")
            await outbox.replace(with: [report])
            #expect(await outbox.next(after: nil) == report)
        }
        let line = "warning What waits cannot be kept on disk reason=No such file or directory"
        #expect(recorder.recorded == [line])
        try FileManager.default.createDirectory(atPath: directory.path + "/spool", withIntermediateDirectories: false)
        await outbox.replace(with: [.example()])
        #expect(await drain(try self.outbox(directory.path + "/spool")) == [.example()])
        try FileManager.default.removeItem(atPath: directory.path + "/spool")
        await outbox.replace(with: [.example(.v0, "a 9\n")])
        #expect(recorder.recorded == [line, line])
    }

    @Test("a disk that takes no more is said once, though files can be removed from it")
    func full() async throws {
        let directory = try TemporaryDirectory()
        let outbox = try outbox(directory.path)
        await outbox.replace(with: [.example(.v0, "a 0\n")])
        // Nothing can be written under this name any more.
        try FileManager.default.createDirectory(
            atPath: directory.path + "/v0.report.new/x",
            withIntermediateDirectories: true
        )
        for number in 1..<4 {
            let report = WaitingReport.example(.v0, "a \(number)\n")
            await outbox.replace(with: [report])
            #expect(!FileManager.default.fileExists(atPath: directory.path + "/v0.report"))
            await outbox.remove(report)
        }
        #expect(recorder.recorded == ["warning What waits cannot be kept on disk reason=File exists"])
    }

    @Test("a directory that cannot be made is an error with its path")
    func unusable() throws {
        let directory = try TemporaryDirectory()
        try Data().write(to: URL(filePath: directory.path + "/file"))
        for path in [directory.path + "/file", directory.path + "/file/spool", "/proc/spool"] {
            let error = #expect(throws: DeliveryConfigurationError.self) {
                try Outbox(spoolDirectory: path, logger: recorder.logger)
            }
            #expect(error?.description.contains(path) == true)
        }
    }
}
