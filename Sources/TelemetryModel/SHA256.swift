// SPDX-License-Identifier: Apache-2.0

import Crypto

/// The SHA-256 of bytes (FIPS 180-4), 32 bytes.
package func sha256(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
