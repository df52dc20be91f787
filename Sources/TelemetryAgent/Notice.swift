// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// What the owner of a cluster is told before the first report: what is sent, where to, how to see it and how to say no.
struct Notice: Equatable, Sendable {
    /// The text, which stands in the agent's ConfigMap.
    let text: String
    /// The same in one paragraph of less than 1,024 bytes, for an Event.
    let summary: String

    /// A notice about what an agent does.
    init(endpoint: String, interval: Duration, namespace: String) {
        let seconds = interval.components.seconds
        let often = seconds % 60 == 0 ? "every \(seconds / 60) minutes" : "every \(seconds) s"
        text = """
            This cluster reports non-personal usage figures to \(endpoint), \(often).

            What is sent: the versions of Cozystack and Kubernetes, how many nodes there are by operating system and
            kernel and what they have in all (processors, memory, GPUs), how many load balancers, how many volumes by
            driver and size group, the bundle or the packages that are installed, and how many tenants, applications or
            workloads there are of which kind. No names, no addresses, no contents; a random id tells one cluster from another.

            See exactly what would be sent:   cozy-telemetry preview
            See what was sent last:           kubectl get configmap \(StatusStore.name) -n \(namespace) -o yaml
            Say no, now or later:             cozy-telemetry opt-out
            or, without this program:         kubectl patch configmap \(StatusStore.name) -n \(namespace) --type=merge -p '{"data":{"telemetry-enabled":"false"}}'

            """
        summary = """
            This cluster will report non-personal usage figures to \(endpoint), \(often). What, how to see it and how to \
            say no is written in the ConfigMap \(StatusStore.name). To say no: cozy-telemetry opt-out
            """
    }

    /// The time that is left of a notice period; nil where this notice was not given yet.
    ///
    /// A notice that says something else is another one.
    func remaining(of period: Duration, in status: StatusRecord, at now: UTCInstant) -> Duration? {
        guard status.data[StatusRecord.Key.notice] == text,
            let given = status.data[StatusRecord.Key.noticeAt].flatMap(UTCInstant.init(rfc3339:))
        else { return nil }
        // A clock that was ahead when the notice was given does not make the period longer.
        let passed = max(0, now.secondsSinceEpoch - given.secondsSinceEpoch)
        return max(.zero, period - .seconds(passed))
    }
}
