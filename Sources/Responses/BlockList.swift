import VigilModel

/// The bans at a moment, as they are given to what enforces them.
public struct BlockList: Sendable, Equatable {
    /// In force, one for each block, in the order of addresses.
    public let bans: [Ban]
    /// The same before neighbours were put together: for who keeps a clock for each of them, and cannot part a block.
    public let single: [Ban]
    /// Ended before their time or within the last hour, while no other ban holds the address. In the same order.
    public let freed: [Freed]
    /// The moment: what counts the time that is left counts from here.
    public let moment: LogTime

    /// Who keeps a clock of its own is told of the end of a ban for so long, in milliseconds.
    public static let memory: Int64 = 3_600_000

    /// A ban that has ended.
    public struct Freed: Sendable, Equatable {
        /// The ban as it was made.
        public let ban: Ban
        /// When; nil when that is not known, since the address was allowed in the configuration.
        public let time: LogTime?

        /// Takes both.
        public init(ban: Ban, time: LogTime?) {
            self.ban = ban
            self.time = time
        }
    }

    /// Takes bans in any order; `single` are those that they stand for, when they are others.
    public init(bans: [Ban], single: [Ban]? = nil, freed: [Freed] = [], moment: LogTime) {
        self.bans = bans.sorted { $0.cidr < $1.cidr }
        self.single = single?.sorted { $0.cidr < $1.cidr } ?? self.bans
        self.freed = freed.sorted { $0.ban.cidr < $1.ban.cidr }
        self.moment = moment
    }

    /// Nobody banned: whoever is was freed at this moment.
    public var emptied: BlockList {
        BlockList(bans: [], freed: freed + single.map { Freed(ban: $0, time: moment) }, moment: moment)
    }

    /// The same list at a later moment.
    public func at(_ moment: LogTime) -> BlockList {
        BlockList(sorted: bans, single: single, freed: freed, moment: moment)
    }

    private init(sorted bans: [Ban], single: [Ban], freed: [Freed], moment: LogTime) {
        self.bans = bans
        self.single = single
        self.freed = freed
        self.moment = moment
    }

    /// Seconds that a ban still lasts, at least 1, at most `limit`.
    func secondsLeft(_ ban: Ban, limit: Int64 = .max) -> Int64 {
        max(1, min(limit, (ban.end.milliseconds - moment.milliseconds + 999) / 1000))
    }

    /// The bans of one family.
    func family(v4: Bool) -> [Ban] { bans.filter { $0.cidr.address.isV4 == v4 } }
}

/// What formats need to know besides the bans.
public struct BlockListOptions: Sendable, Equatable {
    /// TCP ports that are closed to who is banned: PostgreSQL, PgBouncer, and the services of Pigsty's HAProxy.
    public var ports: [ClosedRange<Int>] = [5432...5432, 6432...6432, 5433...5438]
    /// Whether sessions that are open are cut, too.
    public var established = false
    /// HAProxy's file of addresses, as its configuration names it.
    public var aclFile = "/etc/haproxy/pgvigil.acl"
    /// The version that HAProxy's next `prepare acl` gives.
    public var aclVersion = 1

    /// The defaults.
    public init() {}
}

/// The forms in which bans are given to what enforces them. Each is a pure function of the list: the same list gives
/// the same bytes, sorted by address, and an empty one a file that its reader takes and that bans nobody. No text of a
/// client appears in any.
public enum BlockListFormat: String, CaseIterable, Sendable {
    /// A CIDR a line, IPv4 first; those of one family only.
    case plain, plain4, plain6
    /// A line for each ban in the shape of fail2ban's own log, and one for each that has just ended.
    case fail2ban
    /// A table for `nft -f`, with the time that each ban still lasts.
    case nft
    /// Commands for `ipset restore`.
    case ipset
    /// A set of firewalld's, of IPv4 or IPv6.
    case firewalld4, firewalld6
    /// Commands of ufw.
    case ufw
    /// Lines for pg_hba.conf.
    case pgHBA = "pg_hba"
    /// Lines for PgBouncer's auth_hba_file.
    case pgbouncerHBA = "pgbouncer_hba"
    /// An ACL file of HAProxy's.
    case haproxy
    /// Commands for HAProxy's socket that replace what it has of that file.
    case haproxyRuntime = "haproxy_runtime"
    /// Decisions for `cscli decisions import`.
    case crowdsec
    /// Everything about each ban.
    case json

    /// The list in this form.
    public func render(_ list: BlockList, _ options: BlockListOptions = BlockListOptions()) -> String {
        switch self {
        case .plain, .haproxy: PlainList.render(list.bans)
        case .plain4: PlainList.render(list.family(v4: true))
        case .plain6: PlainList.render(list.family(v4: false))
        case .fail2ban: Fail2banList.render(list)
        case .nft: NftablesList.render(list, options)
        case .ipset: IpsetList.render(list)
        case .firewalld4: FirewalldList.render(list.family(v4: true), family: "inet")
        case .firewalld6: FirewalldList.render(list.family(v4: false), family: "inet6")
        case .ufw: UfwList.render(list.bans, options)
        case .pgHBA, .pgbouncerHBA: HBAList.render(list.bans)
        case .haproxyRuntime: HAProxyCommands.render(list.bans, options)
        case .crowdsec: CrowdSecList.render(list)
        case .json: JSONList.render(list.bans)
        }
    }

    /// Whether the text tells how long a ban still lasts: it is then another one every second, and need not be written
    /// again while the bans are the same.
    public var tellsTimeLeft: Bool { [.nft, .ipset, .crowdsec].contains(self) }
}
