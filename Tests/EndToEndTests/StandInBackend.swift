// SPDX-License-Identifier: Apache-2.0

import Foundation
import TelemetryTesting
import Testing

/// A server that gives the answers it was told, for what a real backend says only on a bad day, or to people far away.
struct StandInBackend {
    /// An answer; nil for the fields means none.
    struct Answer: Encodable {
        var status = 200
        var fields: [String: String] = [:]
        var body = ""
    }

    let url: String

    /// Gives the answers one after the other, the last one for ever, as long as the body takes.
    static func with(_ answers: Answer..., body: (Self) async throws -> Void) async throws {
        let text = String(decoding: try JSONEncoder().encode(answers), as: UTF8.self)
        let program = try RunningProgram(command: ["python3", "-c", Self.program, text])
        let line = try #require(await program.line(containing: "port "))
        defer { program.signal(SIGKILL) }
        try await body(Self(url: "http://127.0.0.1:\(line.dropFirst(5))"))
    }

    private static let program = """
        import http.server, json, sys
        answers = json.loads(sys.argv[1])
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                body = answer["body"].encode()
                self.send_response(answer["status"])
                for name, value in answer["fields"].items(): self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def log_message(self, *_): pass
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        print("port", server.server_port, file=sys.stderr, flush=True)
        server.serve_forever()
        """
}
