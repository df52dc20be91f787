// SPDX-License-Identifier: Apache-2.0

import Exposition
import Foundation
import Gzip
import TelemetryModel

@testable import Kubernetes
@testable import TelemetryAgent

/// What arbitrary bytes are given to; a trap, a sanitizer's finding or a broken promise ends the program.
enum FuzzTarget: String, CaseIterable {
    case exposition
    case canonical
    case gzip
    case signature
    case kubeconfig
    case retryAfter = "retry-after"
    case consent

    /// Gives it an input.
    func run(_ bytes: [UInt8]) {
        switch self {
        case .exposition: Self.exposition(bytes)
        case .canonical: Self.canonical(bytes)
        case .gzip: Self.gzip(bytes)
        case .signature: Self.signature(bytes)
        case .kubeconfig: Self.kubeconfig(bytes)
        case .retryAfter: Self.retryAfter(bytes)
        case .consent: Self.consent(bytes)
        }
    }

    /// The parser ends, and says a place that is in the body where it refuses one.
    private static func exposition(_ bytes: [UInt8]) {
        var parser = ExpositionParser()
        do throws(ExpositionError) {
            while try parser.next(in: bytes.span) != nil {}
        } catch {
            precondition(error.line >= 1 && error.column >= 1)
            precondition(error.line <= bytes.count { $0 == UInt8(ascii: "\n") } + 1)
        }
    }

    /// What is accepted has a text that is accepted again, as the same.
    private static func canonical(_ bytes: [UInt8]) {
        let decoder = ReportDecoder(pseudonymizer: nil)
        guard let first = try? decoder.decode(bytes) else { return }
        do throws(ReportError) {
            let again = try decoder.decode(first.report.text).report
            precondition(again == first.report && again.text == first.report.text)
        } catch {
            preconditionFailure("its own text is refused: \(error)")
        }
    }

    /// Nothing is unpacked beyond the limit, and what was packed here is unpacked as it was.
    private static func gzip(_ bytes: [UInt8]) {
        let limit = 1 << 16
        if let unpacked = try? GzipDecoder.decode(bytes, limit: limit) { precondition(unpacked.count <= limit) }
        guard let packed = GzipEncoder.encode(bytes) else { return }
        precondition((try? GzipDecoder.decode(packed, limit: max(1, bytes.count))) == bytes)
    }

    /// Three header fields in three lines; nothing that was not signed is verified.
    private static func signature(_ bytes: [UInt8]) {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard lines.count == 3, let cluster = ClusterID("00000000-0000-8000-8000-000000000000"),
            let signature = try? MessageSignature(
                contentDigest: lines[0],
                signatureInput: lines[1],
                signature: lines[2]
            )
        else { return }
        let now = UTCInstant(secondsSinceEpoch: 1_772_323_200)
        let verified: Void? = try? signature.verify(method: "POST", path: "/", body: [], cluster: cluster, at: now)
        precondition(verified == nil)
    }

    /// A file is read or refused, at a place that is in it.
    private static func kubeconfig(_ bytes: [UInt8]) {
        do throws(KubernetesConfigurationError) {
            let document = try KubeconfigDocument(file: "config", bytes: bytes)
            let context = try document.currentContext()
            for (list, field) in [("contexts", "context"), ("clusters", "cluster"), ("users", "user")] {
                _ = try document.entries(list, field)
            }
            _ = try Kubeconfig(documents: [document]).configuration(context: context)
        } catch {
            precondition(!error.description.isEmpty)
        }
    }

    /// What an endpoint asks for is a time that is not before now.
    private static func retryAfter(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let now = UTCInstant(secondsSinceEpoch: 1_772_323_200)
        if let wait = duration(ofRetryAfter: text, now: now) { precondition(wait >= .zero) }
        var schedule = RetrySchedule(random: { 1 })
        precondition(schedule.delay(retryAfter: duration(ofRetryAfter: text, now: now)) >= .zero)
    }

    /// A value that is neither a plain yes nor missing is a no, in the ConfigMap and in its YAML.
    private static func consent(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let metadata = ObjectMeta(name: "cozystack", namespace: nil, uid: "", resourceVersion: "", labels: [:])
        for key in ["telemetry-enabled", "values-cozystack-controller"] {
            let map = ConfigMap(metadata: metadata, data: [key: text])
            let consent = Consent(ConsentFacts(objects: PlatformObjects(configMap: .found(map))))
            if case .unknown = consent { preconditionFailure("it was read") }
        }
    }
}

/// The target that the environment names.
private let target: FuzzTarget = {
    guard let target = FuzzTarget(rawValue: ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? "") else {
        let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
        FileHandle.standardError.write(Data("FUZZ_TARGET must be one of \(names)\n".utf8))
        exit(64)
    }
    return target
}()

/// What libFuzzer calls with every input.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzerTestOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    // The pointer is libFuzzer's, and good for the call; it is copied at once.
    target.run(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// libFuzzer with whatever the command line asks of it; it ends the process where it finds something.
///
/// Its own `main` is not the program's, as SwiftPM names that of the module. The declaration is that of FuzzerInterface.h.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// The program.
@main
enum Fuzz {
    static func main() {
        _ = target
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        exit(runFuzzer(&count, &arguments, fuzzerTestOneInput))
    }
}
