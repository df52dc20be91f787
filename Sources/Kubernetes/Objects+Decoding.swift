// SPDX-License-Identifier: Apache-2.0

/// A key of an object, by its name.
struct Key: CodingKey, ExpressibleByStringLiteral {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringLiteral value: String) { stringValue = value }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

/// The fields of an object.
///
/// What is missing, or is not of the type asked for, is nil.
struct Fields {
    private let container: KeyedDecodingContainer<Key>?

    init(_ decoder: any Decoder) throws {
        container = try decoder.container(keyedBy: Key.self)
    }

    private init(_ container: KeyedDecodingContainer<Key>?) {
        self.container = container
    }

    /// The fields of a field.
    subscript(_ key: Key) -> Fields {
        Fields(try? container?.nestedContainer(keyedBy: Key.self, forKey: key))
    }

    /// The value of a field.
    func value<Value: Decodable>(_ key: Key, as type: Value.Type = Value.self) -> Value? {
        try? container?.decodeIfPresent(type, forKey: key)
    }

    /// The text of a field; empty where there is none.
    func text(_ key: Key) -> String { value(key) ?? "" }

    /// The text of a field; nil where there is none or it is empty.
    func optionalText(_ key: Key) -> String? {
        let text = text(key)
        return text.isEmpty ? nil : text
    }

    /// Whether a field is there and not null.
    func has(_ key: Key) -> Bool {
        guard let container, container.contains(key) else { return false }
        return (try? container.decodeNil(forKey: key)) == false
    }
}

extension ObjectMeta {
    /// Reads `metadata` of an object.
    init(_ object: Fields) {
        let metadata = object["metadata"]
        name = metadata.text("name")
        namespace = metadata.optionalText("namespace")
        uid = metadata.text("uid")
        resourceVersion = metadata.text("resourceVersion")
        labels = metadata.value("labels") ?? [:]
    }
}

extension ObjectMetadata {
    /// Reads an object.
    public init(from decoder: any Decoder) throws {
        metadata = ObjectMeta(try Fields(decoder))
    }
}

extension Node {
    /// Reads an object.
    public init(from decoder: any Decoder) throws {
        let object = try Fields(decoder)
        metadata = ObjectMeta(object)
        let info = object["status"]["nodeInfo"]
        operatingSystem = info.text("operatingSystem")
        osImage = info.text("osImage")
        kernelVersion = info.text("kernelVersion")
        capacity = object["status"].value("capacity") ?? [:]
    }
}

extension Service {
    /// Reads an object.
    public init(from decoder: any Decoder) throws {
        let object = try Fields(decoder)
        metadata = ObjectMeta(object)
        type = object["spec"].optionalText("type") ?? "ClusterIP"
    }
}

extension PersistentVolume {
    /// Reads an object.
    public init(from decoder: any Decoder) throws {
        let object = try Fields(decoder)
        metadata = ObjectMeta(object)
        let spec = object["spec"]
        if let driver = spec["csi"].optionalText("driver") {
            source = .csi(driver: driver)
        } else if spec.has("hostPath") {
            source = .hostPath
        } else {
            source = spec.has("nfs") ? .nfs : .other
        }
        storage = spec["capacity"].optionalText("storage")
    }
}

extension ConfigMap {
    /// Reads an object.
    public init(from decoder: any Decoder) throws {
        let object = try Fields(decoder)
        metadata = ObjectMeta(object)
        data = object.value("data") ?? [:]
    }
}

extension Deployment {
    /// Reads an object.
    public init(from decoder: any Decoder) throws {
        let object = try Fields(decoder)
        metadata = ObjectMeta(object)
        containers = object["spec"]["template"]["spec"].value("containers") ?? []
    }
}

extension Deployment.Container: Decodable {
    /// Reads a container.
    public init(from decoder: any Decoder) throws {
        let container = try Fields(decoder)
        name = container.text("name")
        command = container.value("command") ?? []
        args = container.value("args") ?? []
    }
}

extension WorkloadMonitor {
    /// Reads an object.
    public init(from decoder: any Decoder) throws {
        let object = try Fields(decoder)
        metadata = ObjectMeta(object)
        let spec = object["spec"]
        kind = spec.text("kind")
        type = spec.text("type")
        version = spec.text("version")
        observedReplicas = object["status"].value("observedReplicas") ?? 0
    }
}

extension Package {
    /// Reads an object.
    public init(from decoder: any Decoder) throws {
        let object = try Fields(decoder)
        metadata = ObjectMeta(object)
        variant = object["spec"].optionalText("variant")
        components = object["spec"].value("components")
    }
}

extension ApplicationDefinition {
    /// Reads an object.
    public init(from decoder: any Decoder) throws {
        let object = try Fields(decoder)
        metadata = ObjectMeta(object)
        kind = object["spec"]["application"].optionalText("kind")
    }
}

extension HelmRelease {
    /// Reads an object.
    public init(from decoder: any Decoder) throws {
        metadata = ObjectMeta(try Fields(decoder))
    }
}
