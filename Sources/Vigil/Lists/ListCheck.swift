import EventStore
import Foundation
import Responses
import VigilModel

/// Compares what is enforced with what should be: the table in the kernel, what HAProxy holds, and the files of
/// `blocklists`.
public struct ListCheck {
    /// A block that is missing somewhere, or stands there and should not.
    public struct Drift: Sendable, Equatable {
        /// `nft`, or a file.
        public let place: String
        /// True when the block should be there.
        public let isMissing: Bool
        /// The block.
        public let cidr: CIDR
    }

    /// What differs, by place and address.
    public private(set) var drift: [Drift] = []
    /// What was compared.
    public private(set) var places: [String] = []
    /// What could not be read.
    public private(set) var problems: [String] = []

    /// Looks at everything. `nft` is the program nft(8).
    public init(_ store: Store, _ configuration: Configuration, nft: String, at moment: LogTime) throws {
        let list = try BanBook(store, configuration).list(at: moment)
        for file in configuration.blockLists {
            if file.format == .haproxyRuntime, HAProxySocket.isSocket(file.path) {
                try look(at: HAProxySocket(path: file.path), file, configuration.listOptions, list)
                continue
            }
            let bytes: Data
            do {
                guard let content = try FilePlace(file.path).content() else {
                    problems.append("\(file.path): this file is not there")
                    continue
                }
                bytes = content
            } catch {
                problems.append("\(error)")
                continue
            }
            places.append(file.path)
            note(
                BlockListChange(from: ListCheck.text(bytes, file.format), to: list, format: file.format), in: file.path)
        }
        let table = NftablesTable(program: nft)
        do {
            if let blocks = try table.blocks() {
                places.append("nft")
                let text = blocks.map { "\($0)\n" }.joined()
                // Through the same form: nftables gets blocks that do not meet.
                let wanted = BlockListFormat.nft.blocks(in: BlockListFormat.nft.render(list))
                let plain = BlockListFormat.plain.blocks(in: text)
                note(added: wanted.subtracting(plain).sorted(), removed: plain.subtracting(wanted).sorted(), in: "nft")
            } else if configuration.blockLists.isEmpty
                || configuration.blockLists.contains(where: { $0.format == .nft })
            {
                problems.append("nft: there is no table inet pgvigil")
            }
        } catch {
            // Without rights nobody sees the table; who has none and lists none has nothing to look for.
            if geteuid() == 0 || configuration.blockLists.contains(where: { $0.format == .nft }) {
                problems.append("\(error)")
            }
        }
    }

    /// What HAProxy holds at run time.
    private mutating func look(
        at socket: HAProxySocket, _ file: BlockListFile, _ options: BlockListOptions, _ list: BlockList
    ) throws {
        do {
            let held = try socket.blocks(ofACL: file.aclFile ?? options.aclFile)
            let wanted = Set(list.bans.map(\.cidr))
            places.append(file.path)
            note(added: wanted.subtracting(held).sorted(), removed: held.subtracting(wanted).sorted(), in: file.path)
        } catch let problem as ListProblem { problems.append("\(problem)") }
    }

    private mutating func note(_ change: BlockListChange, in place: String) {
        note(added: change.added, removed: change.removed, in: place)
    }

    private mutating func note(added: [CIDR], removed: [CIDR], in place: String) {
        drift += added.map { Drift(place: place, isMissing: true, cidr: $0) }
        drift += removed.map { Drift(place: place, isMissing: false, cidr: $0) }
    }

    /// Of fail2ban's log the last line about an address counts.
    private static func text(_ bytes: Data, _ format: BlockListFormat) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        guard format == .fail2ban else { return text }
        return Fail2banLog.lastLines(of: text).values.joined(separator: "\n")
    }
}
