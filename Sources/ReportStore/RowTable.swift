// SPDX-License-Identifier: Apache-2.0

/// A hash table of row numbers whose keys are kept elsewhere: four bytes a place, open addressing, linear probing.
///
/// The caller says whether a row is the one it looks for, and gives the hash of a row where the table has to move it. Row 0
/// is no row.
struct RowTable {
    private var places: [UInt32]
    private(set) var count = 0

    init() {
        places = Array(repeating: 0, count: 16)
    }

    /// The row with a hash that is the one looked for, or nil.
    func row(hash: UInt64, where matches: (Int) -> Bool) -> Int? {
        var place = home(of: hash)
        while places[place] != 0 {
            let row = Int(places[place])
            if matches(row) { return row }
            place = (place + 1) & (places.count - 1)
        }
        return nil
    }

    /// Adds a row that is not there.
    mutating func insert(_ row: Int, hash: UInt64, hashOf: (Int) -> UInt64) {
        if (count + 1) * 3 > places.count * 2 { grow(hashOf) }
        place(row, hash)
        count += 1
    }

    /// Takes a row out, where it is there.
    mutating func remove(_ row: Int, hash: UInt64, hashOf: (Int) -> UInt64) {
        let mask = places.count - 1
        var hole = home(of: hash)
        while places[hole] != UInt32(row) {
            guard places[hole] != 0 else { return }
            hole = (hole + 1) & mask
        }
        // Rows behind the hole move up unless that would put them before their home (Knuth, TAOCP 3, 6.4, algorithm R).
        var next = (hole + 1) & mask
        while places[next] != 0 {
            let distance = (next - home(of: hashOf(Int(places[next])))) & mask
            if distance >= (next - hole) & mask {
                places[hole] = places[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        places[hole] = 0
        count -= 1
    }

    private func home(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (places.count - 1) }

    private mutating func place(_ row: Int, _ hash: UInt64) {
        var place = home(of: hash)
        while places[place] != 0 { place = (place + 1) & (places.count - 1) }
        places[place] = UInt32(row)
    }

    private mutating func grow(_ hashOf: (Int) -> UInt64) {
        let rows = places.filter { $0 != 0 }
        places = Array(repeating: 0, count: places.count * 2)
        for row in rows { place(Int(row), hashOf(Int(row))) }
    }
}
