// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A secret; its description never has a value in it.
public struct Secret: KubernetesObject, Hashable, CustomStringConvertible, CustomReflectable {
    /// The metadata.
    public let metadata: ObjectMeta
    /// `type`, `Opaque`.
    public let type: String
    /// The values as bytes; they travel in base64.
    public let data: [String: [UInt8]]

    /// Reads an object.
    public init(from decoder: any Decoder) throws {
        let object = try Fields(decoder)
        metadata = ObjectMeta(object)
        type = object.text("type")
        data = (object.value("data", as: [String: Data].self) ?? [:]).mapValues { Array($0) }
    }

    /// The name alone.
    public var description: String { "Secret \(metadata.name)" }

    /// Only what the description says, so that a dump has no secrets in it either.
    public var customMirror: Mirror { Mirror(self, children: ["name": metadata.name]) }

    /// A secret of type `Opaque` to be created.
    public static func manifest(name: String, labels: [String: String] = [:], data: [String: [UInt8]]) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": ["name": .string(name), "labels": .object(labels.mapValues(JSONValue.string))],
            "data": value(of: data),
        ]
    }

    /// Values as they travel, for the field `data` of a patch.
    public static func value(of data: [String: [UInt8]]) -> JSONValue {
        .object(data.mapValues { .string(Data($0).base64EncodedString()) })
    }
}
