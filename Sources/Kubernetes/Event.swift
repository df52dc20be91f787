// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials

/// Something that happened to an object, to be seen by `kubectl get events`.
public struct Event: KubernetesObject, Hashable {
    /// How an event is meant.
    public enum Severity: String, Sendable {
        /// Nothing is wrong.
        case normal = "Normal"
        /// Somebody should look.
        case warning = "Warning"
    }

    /// The object that an event is about; it is in the namespace of the event.
    public struct Subject: Hashable, Sendable {
        /// `v1`, `apps/v1`.
        public let apiVersion: String
        /// `Pod`, `ConfigMap`.
        public let kind: String
        /// The name.
        public let name: String
        /// The UID; events of an object without one are shown with the next object of its name, too.
        public let uid: String?

        /// An object by kind and name.
        public init(apiVersion: String = "v1", kind: String, name: String, uid: String? = nil) {
            (self.apiVersion, self.kind, self.name, self.uid) = (apiVersion, kind, name, uid)
        }
    }

    /// The metadata.
    public let metadata: ObjectMeta
    /// `type`, `Normal` or `Warning`.
    public let type: String
    /// A word in CamelCase, for programs.
    public let reason: String
    /// What happened, for people.
    public let message: String

    /// Reads an object.
    public init(from decoder: any Decoder) throws {
        let object = try Fields(decoder)
        metadata = ObjectMeta(object)
        type = object.text("type")
        reason = object.text("reason")
        message = object.text("message")
    }

    /// An event to be created.
    ///
    /// - Parameters:
    ///   - subject: What it is about.
    ///   - namespace: The namespace of both.
    ///   - severity: How it is meant.
    ///   - reason: A word in CamelCase, at most 128 bytes.
    ///   - message: What happened, at most 1,024 bytes.
    ///   - component: Who says so.
    ///   - time: When it happened.
    /// - Returns: The object to send.
    public static func manifest(
        about subject: Subject,
        namespace: String,
        _ severity: Severity,
        reason: String,
        message: String,
        by component: String,
        at time: Date
    ) -> JSONValue {
        let time = JSONValue.string(time.formatted(.iso8601))
        var involved: [String: JSONValue] = [
            "apiVersion": .string(subject.apiVersion), "kind": .string(subject.kind), "name": .string(subject.name),
            "namespace": .string(namespace),
        ]
        if let uid = subject.uid { involved["uid"] = .string(uid) }
        return [
            "apiVersion": "v1", "kind": "Event",
            "metadata": ["generateName": .string("\(subject.name)."), "namespace": .string(namespace)],
            "involvedObject": .object(involved), "type": .string(severity.rawValue), "reason": .string(reason),
            "message": .string(message), "source": ["component": .string(component)],
            "reportingComponent": .string(component), "firstTimestamp": time, "lastTimestamp": time, "count": 1,
        ]
    }
}
