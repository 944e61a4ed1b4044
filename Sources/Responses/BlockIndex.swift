import VigilModel

/// Values by blocks of addresses: those that meet a block are found without going over all. Two blocks are apart, or one
/// lies in the other, so what meets a block is above it (few lengths to ask for) or within it (side by side when sorted).
public struct BlockIndex<Value> {
    private let values: [CIDR: [Value]]
    private let blocks: [CIDR]
    private let lengths: (v4: [Int], v6: [Int])

    /// Takes values, each with its block.
    public init(_ entries: some Sequence<(CIDR, Value)>) {
        var values: [CIDR: [Value]] = [:]
        for (block, value) in entries { values[block, default: []].append(value) }
        self.values = values
        blocks = values.keys.sorted()
        lengths = (
            Set(blocks.lazy.filter(\.address.isV4).map(\.prefix)).sorted(),
            Set(blocks.lazy.filter { !$0.address.isV4 }.map(\.prefix)).sorted()
        )
    }

    /// Values of blocks that hold all of a block.
    public func holding(_ block: CIDR) -> [Value] {
        guard !values.isEmpty else { return [] }
        var found: [Value] = []
        for length in block.address.isV4 ? lengths.v4 : lengths.v6 {
            guard length <= block.prefix else { break }
            found += values[CIDR(block.address, prefix: length)] ?? []
        }
        return found
    }

    /// Whether some block holds all of a block.
    public func holds(_ block: CIDR) -> Bool { !holding(block).isEmpty }

    /// Values of blocks that share an address with a block.
    public func meeting(_ block: CIDR) -> [Value] { holding(block) + within(block) }

    /// Values of blocks that lie in a block and are smaller.
    private func within(_ block: CIDR) -> [Value] {
        guard !block.isHost, !blocks.isEmpty else { return [] }
        // The first that comes after the block itself.
        var (low, high) = (0, blocks.count)
        while low < high {
            let middle = (low + high) / 2
            if blocks[middle] < block { low = middle + 1 } else { high = middle }
        }
        var found: [Value] = []
        while low < blocks.count, block.contains(blocks[low]) {
            if blocks[low] != block { found += values[blocks[low]] ?? [] }
            low += 1
        }
        return found
    }
}

extension BlockIndex: Sendable where Value: Sendable {}
