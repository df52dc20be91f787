// SPDX-License-Identifier: Apache-2.0

import TelemetryModel
import Testing

@Suite("The order of versions")
struct VersionNumberTests {
    @Test(
        "earlier ones come first, pre-releases before their release, numbers as numbers",
        arguments: [
            ("v0.9.0", "v0.10.0"), ("v0.41.9", "v1.0.0"), ("1.0.1", "v1.0.2"), ("v1", "v1.0.1"), ("v1.30", "v1.31.0"),
            ("v1.0.0-rc.1", "v1.0.0"), ("v1.0.0-alpha", "v1.0.0-beta"), ("v1.0.0-rc.2", "v1.0.0-rc.10"),
            ("v1.0.0-1", "v1.0.0-a"), ("v1.0.0-rc", "v1.0.0-rc.1"), ("v0.9.9", "v1.0.0-0"),
            ("v1.30.0+k3s1", "v1.30.1+k3s1"),
        ]
    )
    func order(earlier: String, later: String) throws {
        let (left, right) = (try #require(VersionNumber(earlier)), try #require(VersionNumber(later)))
        #expect(left < right && !(right < left) && left != right)
        #expect(earlier.precedesAsVersion(later) && !later.precedesAsVersion(earlier))
    }

    @Test("what stands behind + and the v make no difference, nor do zeros that are left out")
    func same() {
        #expect(Set(["v1.30.0+k3s1", "v1.30.0", "1.30", "v1.30.0+rke2r1"].map(VersionNumber.init)).count == 1)
    }

    @Test(
        "other texts are no versions",
        arguments: [
            "", "v", "other", "v1.", "v1..2", "1.2.3.4", "v1.x", "-1", "v1.0.0-", "v1.0.0-a..b", "99999999999999999999",
            "+", "v1.²",
        ]
    )
    func none(text: String) {
        #expect(VersionNumber(text) == nil)
        #expect("v1.0.0".precedesAsVersion(text) && !text.precedesAsVersion("v1.0.0"))
        #expect(text.successor(among: ["v1.0.0"]) == nil)
    }

    @Test(
        "the successor is the next release that was seen",
        arguments: [
            ("v1.0.0", "v1.0.1"), ("v1.0.0+a", "v1.0.1"), ("v0.9.0", "v1.0.0"), ("v1.0.1-rc.1", "v1.0.1"),
            ("v1.0.1", "v2.0.0"), ("v2.0.0", nil), ("v3.0.0", nil),
        ]
    )
    func successor(version: String, expected: String?) {
        let seen = ["v2.0.0", "other", "v1.0.0", "v1.0.1", "v1.1.0-rc.1", "v2.0.0+b"]
        #expect(version.successor(among: seen) == expected)
    }
}
