import VigilModel

/// Which blocks a file of a format bans: what `--diff` compares with.
extension BlockListFormat {
    /// The blocks in a text of this format. What is no ban of it is passed over.
    public func blocks(in text: String) -> Set<CIDR> {
        var blocks: Set<CIDR> = []
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split { " \t,{}<>\"';()".contains($0) }.map(String.init).filter { $0 != ":" }
            if let block = block(words) { blocks.insert(block) }
        }
        return blocks
    }

    /// The block that a line bans; nil when it bans none.
    private func block(_ words: [String]) -> CIDR? {
        func after(_ word: String) -> CIDR? {
            words.firstIndex(of: word).flatMap { $0 + 1 < words.count ? CIDR(words[$0 + 1]) : nil }
        }
        switch self {
        case .plain, .plain4, .plain6, .haproxy: return words.first.flatMap(CIDR.init)
        case .fail2ban:
            let network = words.last.flatMap { $0.hasPrefix("net=") ? CIDR(String($0.dropFirst(4))) : nil }
            return words.contains("Ban") ? network ?? after("Ban") : nil
        case .nft: return words.contains("timeout") ? words.first.flatMap(CIDR.init) : nil
        case .ipset: return words.first == "add" && words.count > 2 ? CIDR(words[2]) : nil
        case .firewalld4, .firewalld6: return after("entry")
        case .ufw: return after("from")
        case .pgHBA, .pgbouncerHBA: return words.first == "host" && words.count > 3 ? CIDR(words[3]) : nil
        case .haproxyRuntime: return words.starts(with: ["add", "acl"]) ? words.last.flatMap(CIDR.init) : nil
        case .crowdsec: return after("value")
        case .json: return after("cidr")
        }
    }
}

/// What a list bans that a file does not, and the other way round.
public struct BlockListChange: Sendable, Equatable {
    /// Newly banned, in order.
    public let added: [CIDR]
    /// No longer banned, in order.
    public let removed: [CIDR]

    /// Compares a list with a file of a format.
    public init(from text: String, to list: BlockList, format: BlockListFormat) {
        let old = format.blocks(in: text)
        // Through the same form: what it leaves out is no difference.
        let new = format.blocks(in: format.render(list))
        added = new.subtracting(old).sorted()
        removed = old.subtracting(new).sorted()
    }

    /// `+203.0.113.66/32` and `-198.51.100.7/32`, a line each, by address.
    public var text: String {
        (added.map { ($0, "+") } + removed.map { ($0, "-") }).sorted { $0.0 < $1.0 }.map { "\($1)\($0)\n" }.joined()
    }
}
