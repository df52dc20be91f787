// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// Connections to a server that do not speak HTTP as they should.
final class Crowd: Sendable {
    private let port: Int
    private let open = Mutex<[any Channel]>([])

    init(url: String) throws {
        port = try #require(url.split(separator: ":").last.flatMap { Int($0) })
    }

    /// Opens a connection that says nothing.
    func open() async throws {
        let channel = try await connect()
        open.withLock { $0.append(channel) }
    }

    /// Opens connections one after the other that begin to say something and never end, until it is cancelled.
    func drip(_ beginning: String, _ drop: String) async {
        while !Task.isCancelled {
            guard let channel = try? await connect() else { continue }
            // The server closes what takes too long.
            try? await channel.writeAndFlush(ByteBuffer(string: beginning))
            while channel.isActive, !Task.isCancelled {
                // The slowness itself.
                try? await Task.sleep(for: .milliseconds(200))
                try? await channel.writeAndFlush(ByteBuffer(string: drop))
            }
            try? await channel.close()
        }
    }

    /// Opens connections one after the other, says something on each and breaks off, until it is cancelled.
    func flood(_ bytes: [UInt8]) async {
        while !Task.isCancelled {
            guard let channel = try? await connect() else { continue }
            try? await channel.writeAndFlush(ByteBuffer(bytes: bytes))
            try? await channel.close()
            // Some hundred connections a second; without a pause it is the senders that use up the machine.
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Closes the connections that say nothing.
    func close() async throws {
        for channel in open.withLock({ $0 }) where channel.isActive { try await channel.close() }
    }

    private func connect() async throws -> any Channel {
        try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port).get()
    }
}
