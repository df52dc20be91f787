// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// A connection of the public listener: where it comes from, and its place among the others.
///
/// It belongs to the event loop of its channel. Requests in it are for handlers further in: of HTTP/1 there is one, of HTTP/2
/// one for each stream.
final class PublicConnection {
    /// Where it comes from.
    private(set) var source: ConnectionSource
    private let sources: SourceResolver
    /// Counts the connection for as long as it is there.
    private var ticket: ConnectionGate.Ticket?

    /// Takes a connection that was just accepted; nil where there are too many, in all or from its address.
    init?(_ channel: any Channel, _ shared: IngestHandler.Shared) {
        let address = IPAddress(channel.remoteAddress)
        sources = shared.sources
        source = sources.source(of: address)
        guard let ticket = shared.gate.take() else { return nil }
        // Proxies are not bounded; those for whom they speak are, once they say so.
        if !source.isTrusted, !ticket.assign(to: sources.hash(address?.host ?? 0)) { return nil }
        self.ticket = ticket
        channel.closeFuture.assumeIsolated().whenComplete { _ in self.ticket = nil }
    }

    /// A trusted proxy opened the connection for somebody at an address.
    ///
    /// - Returns: Whether it may go on; false where there are too many from there.
    func isOpened(for address: IPAddress) -> Bool {
        source = sources.source(of: address)
        return source.isTrusted || ticket?.assign(to: sources.hash(address.host)) != false
    }

    /// Adds what stands before everything else: from a trusted proxy a header of the PROXY protocol may come first.
    func addProxyHeaderHandler(to channel: any Channel) throws {
        guard source.isTrusted else { return }
        try channel.pipeline.syncOperations.addHandler(ProxyHeaderHandler(isOpened))
    }
}
