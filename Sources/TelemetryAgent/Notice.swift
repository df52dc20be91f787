// SPDX-License-Identifier: Apache-2.0

import TelemetryModel

/// What the owner of a cluster is told before the first report: what is sent, where to, how to see it and how to say no.
struct Notice: Equatable, Sendable {
    /// The text, which stands in the agent's ConfigMap.
    let text: String
    /// The same in one paragraph of less than 1,024 bytes, for an Event.
    let summary: String

    /// A notice about what an agent does.
    init(endpoint: String, interval: Duration, namespace: String, identity: IdentityMode = .key) {
        let seconds = interval.components.seconds
        let often = seconds % 60 == 0 ? "every \(seconds / 60) minutes" : "every \(seconds) s"
        let name =
            switch identity {
            case .key:
                """
                an id that means nothing, made from a key
                that the agent makes for itself (or, where it may not keep one, the UID of the namespace kube-system)
                """
            case .uid: "the UID of the namespace\nkube-system"
            }
        text = """
            This cluster reports non-personal usage figures to \(endpoint), \(often).

            What is sent: the versions of Cozystack and Kubernetes, how many nodes there are by operating system and
            kernel and what they have in all (processors, memory, GPUs), how many load balancers, how many volumes by
            driver and size group, the bundle or the packages that are installed, whether OIDC is on, and how many
            tenants and applications there are of which kind; of Cozystack 0.x, the kind, type, version and replicas of
            each workload with the UID of its object. No names of people, tenants, hosts or objects, no addresses, no
            contents. One cluster is told from another by \(name).

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

    /// Whether a notice was given.
    enum State: Equatable {
        /// So long ago.
        case given(Duration)
        /// At a time that is still to come.
        case givenLater
        /// It was not, or it said something else.
        case missing
    }

    /// Whether this notice was given.
    func state(in status: StatusRecord, at now: UTCInstant) -> State {
        guard status.data[StatusRecord.Key.notice] == text,
            let given = status.data[StatusRecord.Key.noticeAt].flatMap(UTCInstant.init(rfc3339:))
        else { return .missing }
        let passed = now.secondsSinceEpoch - given.secondsSinceEpoch
        return passed < 0 ? .givenLater : .given(.seconds(passed))
    }
}
