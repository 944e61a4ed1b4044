import Foundation
import Responses
import VigilModel

/// The table of nftables in the kernel. Needs CAP_NET_ADMIN.
struct NftablesTable {
    /// nft(8).
    let program: String

    /// Puts a list in the place of what is there, whole or not at all.
    func apply(_ list: BlockList, _ options: BlockListOptions) throws {
        try ReloadCommand.run([program, "-f", "-"], input: BlockListFormat.nft.render(list, options))
    }

    /// The blocks that the kernel drops; nil when there is no table.
    func blocks() throws -> Set<CIDR>? {
        let tables = try ReloadCommand.run([program, "-j", "list", "tables"])
        let names = try JSONDecoder().decode(Listing.self, from: tables).nftables.compactMap(\.table)
        guard names.contains(.init(family: "inet", name: "pgvigil")) else { return nil }
        let output = try ReloadCommand.run([program, "-j", "list", "table", "inet", "pgvigil"])
        let sets = try JSONDecoder().decode(Listing.self, from: output).nftables.compactMap(\.set)
        return Set(sets.flatMap { $0.elem ?? [] }.flatMap(\.blocks))
    }

    /// What libnftables-json(5) prints, as far as it matters.
    private struct Listing: Decodable {
        let nftables: [Item]

        struct Item: Decodable {
            let table: Table?
            let set: ElementSet?
        }

        struct Table: Decodable, Equatable {
            let family, name: String
        }

        struct ElementSet: Decodable {
            let elem: [Element]?
        }

        /// `"192.0.2.7"`, `{"prefix": {"addr": "192.0.2.0", "len": 24}}` or `{"range": ["192.0.2.7", "192.0.2.9"]}`; with a
        /// timeout `{"elem": {"val": …, "timeout": 3600}}`.
        struct Element: Decodable {
            let blocks: [CIDR]

            private enum Keys: String, CodingKey { case elem, val, prefix, addr, len, range }

            init(from decoder: any Decoder) throws {
                if let text = try? decoder.singleValueContainer().decode(String.self) {
                    blocks = [CIDR(text)].compactMap { $0 }
                    return
                }
                let keys = try decoder.container(keyedBy: Keys.self)
                if keys.contains(.elem) {
                    let element = try keys.nestedContainer(keyedBy: Keys.self, forKey: .elem)
                    blocks = try element.decode(Element.self, forKey: .val).blocks
                } else if keys.contains(.range) {
                    let ends = try keys.decode([String].self, forKey: .range).compactMap { IPAddress($0) }
                    blocks = ends.count == 2 ? CIDR.blocks(from: ends[0], through: ends[1]) : []
                } else {
                    let prefix = try keys.nestedContainer(keyedBy: Keys.self, forKey: .prefix)
                    let length = try prefix.decode(Int.self, forKey: .len)
                    let address = IPAddress(try prefix.decode(String.self, forKey: .addr))
                    blocks = address.map { [CIDR($0, prefix: length)] } ?? []
                }
            }
        }
    }
}
