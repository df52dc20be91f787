// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A keep-alive connection with at most one request under way, which never blocks.
struct Connection {
    /// The socket.
    let descriptor: Int32
    /// The request under way.
    var request: [UInt8] = []
    /// Since when an answer is waited for, in nanoseconds.
    var since: UInt64 = 0
    private var sent = 0
    private var incoming = [UInt8](repeating: 0, count: 64 << 10)
    private var received = 0

    /// Connects to a server.
    init(host: String, port: UInt16) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { throw LoadError("\(host) is no IPv4 address") }
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw LoadError.system("socket") }
        // The socket interface takes the address of every family as a pointer to the one it does not name.
        let status = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw LoadError.system("connect to \(host):\(port)") }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else { throw LoadError.system("fcntl") }
    }

    /// Begins to send `request`.
    mutating func start(since instant: UInt64) throws {
        since = instant
        sent = 0
        received = 0
        try flush()
    }

    /// Sends as much of the request as the socket takes now.
    mutating func flush() throws {
        while sent < request.count {
            // The system call reads from memory.
            let count = request.withUnsafeBytes {
                send(descriptor, $0.baseAddress?.advanced(by: sent), $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EAGAIN { return }
            guard count > 0 else { throw LoadError.system("the connection was lost: send") }
            sent += count
        }
    }

    /// Reads what has come.
    ///
    /// - Returns: The head of the response and its body, once both are whole.
    mutating func receive() throws -> (head: ResponseHead, body: ArraySlice<UInt8>)? {
        while true {
            let offset = received
            guard offset < incoming.count else { throw LoadError("a response of more than \(incoming.count) bytes") }
            // The system call writes to memory.
            let count = incoming.withUnsafeMutableBytes {
                recv(descriptor, $0.baseAddress?.advanced(by: offset), $0.count - offset, 0)
            }
            if count < 0 && errno == EAGAIN { return nil }
            guard count != 0 else { throw LoadError("the connection was lost: the server closed it") }
            guard count > 0 else { throw LoadError.system("the connection was lost: recv") }
            received += count
            guard let head = try ResponseHead(incoming[..<received]), received >= head.length else { continue }
            guard received == head.length, sent == request.count else { throw LoadError("a response out of turn") }
            return (head, incoming[..<received])
        }
    }
}
