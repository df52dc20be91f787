// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kubernetes

@Suite("Lists are taken apart while they arrive")
struct ListSplitterTests {
    /// What is found in a text that arrives in parts.
    private func split(_ text: String, at size: Int, largestItem: Int = 1 << 20) -> (items: [String], frame: String)? {
        var (splitter, items) = (ListSplitter(largestItem: largestItem), [String]())
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            let fits = bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { part in
                splitter.append(part) { items.append(String(decoding: $0, as: UTF8.self)) }
            }
            guard fits else { return nil }
        }
        return (items, String(decoding: splitter.frame, as: UTF8.self))
    }

    @Test(
        "items are found wherever the parts end, and nothing else is taken for one",
        arguments: [
            (
                #"{"items":[{"a":1},{"b":{"c":[{}]}}],"metadata":{"continue":"t"}}"#,
                [#"{"a":1}"#, #"{"b":{"c":[{}]}}"#],
                #"{"items":[0,0],"metadata":{"continue":"t"}}"#
            ),
            (#"{ "items" : [ {"a":"}]\"{[\\"} , {} ] }"#, [#"{"a":"}]\"{[\\"}"#, "{}"], #"{ "items" : [ 0 , 0 ] }"#),
            (
                #"{"kind":"items","x":[{"a":1}],"y":{"items":[{}]}}"#, [],
                #"{"kind":"items","x":[{"a":1}],"y":{"items":[{}]}}"#
            ),
            (
                #"{"items":[{"items":[{"ä":"😀"}]}],"more":[{}]}"#, [#"{"items":[{"ä":"😀"}]}"#],
                #"{"items":[0],"more":[{}]}"#
            ),
            (#"{"items":null}"#, [], #"{"items":null}"#), (#"{"items":[]}"#, [], #"{"items":[]}"#),
            (#"{"items":["{",7]}"#, [], #"{"items":["{",7]}"#), ("]}]{", [], "]}]{"), ("", [], ""),
        ] as [(String, [String], String)]
    )
    func parts(text: String, items: [String], frame: String) throws {
        for size in 1...max(1, text.utf8.count) {
            let result = try #require(split(text, at: size))
            #expect(result.items == items && result.frame == frame, "parts of \(size) bytes")
        }
    }

    @Test("an item that grows too large, and a list that has too much beside its items, is not read on")
    func limits() {
        #expect(split(#"{"items":[{"a":"0123456789"}]}"#, at: 4, largestItem: 16) == nil)
        #expect(split(#"{"a":"0123456789012345","#, at: 4, largestItem: 16) == nil)
        #expect(split(#"{"items":[{"a":"01234567"}]}"#, at: 4, largestItem: 16) != nil)
    }
}
