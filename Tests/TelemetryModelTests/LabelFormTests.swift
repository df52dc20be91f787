// SPDX-License-Identifier: Apache-2.0

import TelemetryModel
import Testing

/// A form with values that have it and values that do not.
struct FormCase: Sendable, CustomTestStringConvertible {
    let form: LabelForm
    let accepted: [String]
    let refused: [String]

    var testDescription: String { "\(form)" }
}

private func letters(_ count: Int) -> String { String(repeating: "a", count: count) }

@Suite("Forms of label values")
struct LabelFormTests {
    /// What could name a host, a person or a place, break out of a label, or look like something else; no form takes it.
    private static let neverAccepted = [
        "/etc/passwd", "../x", "C:\\x", "user@example.org", "http://example.org/", "a\nb", "a\tb", "a\u{0}", "a\u{7f}",
        "ä", "а", "a\u{301}", "\u{212A}", "\u{1F600}", "a\"b", "a\\b", "a'b", "{a=b}", "<nil>", "10.0.0.1:6443",
        "fe80::1",
        "192.168.1.10", "256 ", "$(x)", "a;b", "a=b", "a?b", "%41", letters(1_025),
    ]

    static let cases = [
        FormCase(
            form: .version,
            accepted: [
                "", "v0.22.0", "v1.31.4", "0.8.0", "6.6.64-talos", "v1.31.4+k3s1", "5.14.0-503.el9_5.x86_64",
                "6.1.0-28",
                "1.0.0-alpha.dirty", "v1.29.4-eks-036c24b", "1", "v1.0.0-rc.1", "5.15.0.300",
                "1." + String(repeating: "0", count: 62),
            ],
            refused: [
                "1.example.org", "10-host.example.org", "v1.example.org", "node1.example.org", "latest", "v", "vv1",
                "-1", "1 2", "10.0.0.1", "255.255.255.255", "1." + letters(63), "1,2", "1:2",
            ]
        ),
        FormCase(
            form: .boolean,
            accepted: ["", "true", "false"],
            refused: ["True", "1", "yes", "true ", " ", "truefalse"]
        ),
        FormCase(
            form: .name,
            accepted: [
                "", "postgres", "Postgres", "control-plane", "VirtualMachine", "http_cache", "k8s", letters(63),
            ],
            refused: ["1a", "-a", "_a", "a.b", "a b", "a,b", letters(64)]
        ),
        FormCase(
            form: .nameList,
            accepted: [
                "", "nfs-driver", "a,b", "a, b", "a,,b", ",", "a ,b", "a  ,  b  ", " ", letters(63) + "," + letters(63),
            ],
            refused: [
                "a b", "a,b c", "a.b", "a,1", "a;b", letters(64),
                Array(repeating: "a", count: 513).joined(separator: ","),
            ]
        ),
        FormCase(
            form: .dottedName,
            accepted: [
                "linstor.csi.linbit.com", "hostpath", "nfs", "unknown", "cozystack.core", "default", "isp-full", "1a",
                "a1",
                "1.2.3", letters(253),
            ],
            refused: ["", ".", "a.", ".a", "a..b", "-a", "a-", "a.-b", "A", "a_b", "a b", "10.0.0.1", letters(254)]
        ),
        FormCase(
            form: .operatingSystem,
            accepted: [
                "linux (Talos (v1.8.4))", "linux (Debian GNU/Linux 12 (bookworm))", "linux (Ubuntu 24.04.1 LTS)",
                "linux ()",
                "linux (Flatcar Container Linux by Kinvolk 3815.2.0 (Oklo))",
                "windows (Windows Server 2022 Datacenter)",
                "linux (Red Hat Enterprise Linux CoreOS 415.92.202402130021-0 (Plow))", "linux", letters(128),
            ],
            refused: [
                "", " linux", "(linux)", "linux (10.0.0.1)", "linux (10.0.0.1.)", "linux (node-10.0.0.1)",
                "linux (fe80::1)",
                "linux (node1.example.org)", "linux (1.example.org)", "linux node1.example.org (Talos)",
                "linux (/dev/sda)", "linux (GNU/GNU/LinuxLinux)", "linux (me@example.org)", letters(129), "linux (ä)",
            ]
        ),
        FormCase(
            form: .resource,
            accepted: [
                "cpu", "memory", "nvidia.com/gpu", "nvidia.com/TU104GL_TESLA_T4", "nvidia.com/mig-1g.5gb",
                "nvidia.com/" + letters(63),
            ],
            refused: [
                "", "CPU", "cpu ", "ephemeral-storage", "nvidia.com/", "nvidia.com/a/b", "nvidia.com/a b",
                "amd.com/gpu",
                "nvidia.com/node1.example.org", "nvidia.com/" + letters(64), "nvidia.com/\u{301}a", "xnvidia.com/gpu",
            ]
        ),
        FormCase(
            form: .sizeGroup,
            accepted: SizeGroup.allCases.map(\.rawValue),
            refused: ["", "3Gi", "5gi", "5G", " 5Gi", "5Gi ", "20Ti", "other"]
        ),
        FormCase(
            form: .identifier,
            accepted: ["6099a6ff-87bd-463b-9deb-6b8dcdc7c47b", "a", "A.b_c-1", letters(253)],
            refused: ["", "a b", "a:b", letters(254)]
        ),
    ]

    @Test("values of the form are accepted, all others refused", arguments: cases)
    func forms(form: FormCase) {
        for value in form.accepted { #expect(form.form.accepts(value), "\(value.debugDescription)") }
        for value in form.refused { #expect(!form.form.accepts(value), "\(value.debugDescription)") }
    }

    @Test("no form takes addresses, paths, control characters or what is not ASCII", arguments: cases)
    func never(form: FormCase) {
        for value in Self.neverAccepted where !(form.form == .identifier && value == "192.168.1.10") {
            #expect(!form.form.accepts(value), "\(value.debugDescription)")
        }
    }

    @Test("each form says in words of its own what it takes", arguments: cases)
    func explanations(form: FormCase) {
        #expect(!form.form.explanation.isEmpty)
        #expect(Set(Self.cases.map(\.form.explanation)).count == Self.cases.count)
    }
}
