// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// The path of a URL as it is sent, without the query; `/` where it has none.
func urlPath(_ url: String) -> String {
    let path = URLComponents(string: url)?.percentEncodedPath ?? ""
    return path.isEmpty ? "/" : path
}
