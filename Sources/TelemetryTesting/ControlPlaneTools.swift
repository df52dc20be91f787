// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The programs that a control plane needs.
struct ControlPlaneTools: Sendable {
    let etcd: String
    let apiServer: String
    let kubectl: String
    let openssl: String

    /// Finds etcd and kube-apiserver in `KUBEBUILDER_ASSETS`, the others there or on the `PATH`.
    static func find() throws -> ControlPlaneTools {
        let environment = ProcessInfo.processInfo.environment
        let assets = environment["KUBEBUILDER_ASSETS"].map { [$0] } ?? []
        let path = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return ControlPlaneTools(
            etcd: try executable("etcd", in: assets),
            apiServer: try executable("kube-apiserver", in: assets),
            kubectl: try executable("kubectl", in: assets + path),
            openssl: try executable("openssl", in: path)
        )
    }

    private static func executable(_ name: String, in directories: [String]) throws -> String {
        let paths = directories.map { "\($0)/\(name)" }
        guard let path = paths.first(where: FileManager.default.isExecutableFile(atPath:)) else {
            throw ControlPlaneError.missing(name)
        }
        return path
    }
}

extension ControlPlane {
    /// Whether a control plane can be started here.
    package static var isAvailable: Bool { (try? ControlPlaneTools.find()) != nil }

    /// What to do where tests are skipped because there is no control plane.
    package static let requirements =
        "set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver, and install kubectl and openssl"

    /// Runs kubectl as the administrator and gives what it prints.
    @discardableResult
    package func kubectl(_ arguments: String..., as kubeconfig: String? = nil) async throws -> String {
        try await kubectl(arguments, as: kubeconfig)
    }

    /// Runs kubectl with arguments and gives what it prints.
    @discardableResult
    package func kubectl(_ arguments: [String], as kubeconfig: String? = nil) async throws -> String {
        try await Command(executable: ControlPlaneTools.find().kubectl, arguments: arguments)
            .run(in: directory, environment: ["KUBECONFIG": kubeconfig ?? self.kubeconfig])
    }

    /// Runs a line as a person types it into a shell, with the administrator's kubeconfig.
    @discardableResult
    package func shell(_ line: String) async throws -> String {
        try await Command(executable: "/bin/sh", arguments: ["-c", line])
            .run(in: directory, environment: ["KUBECONFIG": kubeconfig])
    }

    /// Creates or changes the objects of YAML documents, as the administrator.
    package func apply(_ yaml: String) async throws {
        try await kubectlWithFile(["apply", "--validate=false"], yaml)
    }

    /// Creates the objects of YAML documents; faster than `apply` where there are many.
    package func create(_ yaml: String) async throws {
        try await kubectlWithFile(["create", "--validate=false"], yaml)
    }

    /// Sets the status of objects that have one.
    package func applyStatus(_ yaml: String) async throws {
        try await kubectlWithFile(["apply", "--validate=false", "--server-side", "--subresource=status"], yaml)
    }

    private func kubectlWithFile(_ arguments: [String], _ yaml: String) async throws {
        let file = path("\(UUID().uuidString).yaml")
        try yaml.write(toFile: file, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        try await kubectl(arguments + ["-f", file])
    }
}

/// A program and what it is called with.
struct Command {
    let executable: String
    let arguments: [String]

    /// Runs it to its end and gives what it printed.
    ///
    /// - Throws: `ControlPlaneError.failed` with all of its output where it ends with a failure.
    @discardableResult
    func run(in directory: URL, environment: [String: String] = [:]) async throws -> String {
        // Files and not pipes: nobody needs to read while it runs.
        let log = directory.appending(component: UUID().uuidString)
        let (output, errors) = (log.appendingPathExtension("out"), log.appendingPathExtension("err"))
        defer { for file in [output, errors] { try? FileManager.default.removeItem(at: file) } }
        let process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        process.currentDirectoryURL = directory
        process.environment = ["HOME": directory.path(), "PATH": "/usr/local/bin:/usr/bin:/bin"]
            .merging(environment) { _, given in given }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try Self.file(output)
        process.standardError = try Self.file(errors)
        try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in ended.resume() }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                ended.resume(throwing: error)
            }
        }
        let printed = try String(contentsOf: output, encoding: .utf8)
        guard process.terminationStatus == 0 else {
            let complaint = try String(contentsOf: errors, encoding: .utf8)
            throw ControlPlaneError.failed(
                command: ([executable] + arguments).joined(separator: " "),
                output: printed + complaint
            )
        }
        return printed
    }

    private static func file(_ url: URL) throws -> FileHandle {
        try Data().write(to: url)
        return try FileHandle(forWritingTo: url)
    }
}
