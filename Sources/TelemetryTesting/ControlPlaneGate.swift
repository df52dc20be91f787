// SPDX-License-Identifier: Apache-2.0

package import Kubernetes
import NIOCore
import NIOPosix
import Synchronization

/// A way to the API server of a control plane that can be made bad: busy, slow, or dead without a word.
///
/// It speaks plain HTTP to its clients and passes on what they say. What became dead stays dead, as a connection does
/// whose other end is gone, also after the gate is open again; new connections work then.
package final class ControlPlaneGate: Sendable {
    /// What it does.
    package enum Fault: Sendable {
        case none
        /// Answers 429 and asks to wait so many seconds.
        case busy(retryAfter: Int)
        /// Passes answers on so much later.
        case slow(Duration)
        /// Takes connections and requests and says nothing.
        case silent
        /// Passes the head of an answer on, and nothing after that.
        case headOnly
    }

    private struct State {
        var port = 0
        var fault = Fault.none
        var filter = ""
        var requests: [String] = []
        var connections: [ObjectIdentifier: any Channel] = [:]
    }

    private let token: String
    private let state = Mutex(State())

    private init(_ token: String) {
        self.token = token
    }

    /// Runs a body with an open gate on the loopback interface.
    package static func with<Result>(
        _ plane: ControlPlane,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (ControlPlaneGate) async throws -> Result
    ) async throws -> Result {
        let server = try SocketAddress(ipAddress: "127.0.0.1", port: plane.port)
        let gate = ControlPlaneGate(plane.adminToken)
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    gate.opened(channel)
                    try channel.pipeline.syncOperations.addHandler(GateHandler(gate, to: server))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        gate.state.withLock { $0.port = channel.localAddress?.port ?? 0 }
        let outcome: Swift.Result<Result, any Error>
        do { outcome = .success(try await body(gate)) } catch { outcome = .failure(error) }
        try await channel.close()
        gate.cut()
        return try outcome.get()
    }

    /// The administrator's way through the gate.
    package var configuration: KubernetesConfiguration {
        KubernetesConfiguration(server: "http://127.0.0.1:\(state.withLock { $0.port })", token: .text(token))
    }

    /// The first lines of the requests so far.
    package var requests: [String] { state.withLock { $0.requests } }

    /// Does something else from now on.
    ///
    /// - Parameters:
    ///   - fault: What it does.
    ///   - filter: A text in the first line of the requests that it does this to; empty for all, and then what is under way
    ///     becomes dead, too, where the fault is death.
    package func become(_ fault: Fault, for filter: String = "") {
        state.withLock { ($0.fault, $0.filter) = (fault, filter) }
    }

    /// Closes all connections.
    package func cut() {
        for channel in state.withLock({ Array($0.connections.values) }) { channel.close(promise: nil) }
    }

    private func opened(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        state.withLock { $0.connections[id] = channel }
        channel.closeFuture.whenComplete { [self] _ in state.withLock { _ = $0.connections.removeValue(forKey: id) } }
    }

    /// What to do with a request that begins.
    func fault(of line: String) -> Fault {
        state.withLock { state in
            state.requests.append(line)
            return line.contains(state.filter) || state.filter.isEmpty ? state.fault : .none
        }
    }

    /// Whether nothing of what is under way is passed on any more.
    var isDead: Bool {
        state.withLock { state in
            guard state.filter.isEmpty else { return false }
            return switch state.fault {
            case .silent, .headOnly: true
            case .none, .busy, .slow: false
            }
        }
    }
}
