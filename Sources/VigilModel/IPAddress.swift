import Glibc

/// An IPv4 or IPv6 address; IPv4-mapped IPv6 (RFC 4291, 2.5.5.2) is IPv4.
public struct IPAddress: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Upper and lower 64 bits. IPv4 stands in the lower 32 bits.
    public let high, low: UInt64
    /// True for IPv4.
    public let isV4: Bool

    /// Takes an IPv4 address as a number.
    public init(v4: UInt32) {
        self.init(high: 0, low: UInt64(v4), isV4: true)
    }

    private init(high: UInt64, low: UInt64, isV4: Bool) {
        self.high = high
        self.low = low
        self.isV4 = isV4
    }

    /// Takes an IPv6 address as two numbers; an IPv4-mapped one becomes IPv4.
    public init(high: UInt64, low: UInt64) {
        if high == 0, low >> 32 == 0xFFFF {
            self.init(v4: UInt32(truncatingIfNeeded: low))
        } else {
            self.init(high: high, low: low, isV4: false)
        }
    }

    /// Reads `192.0.2.1`, `2001:db8::1` or `fe80::1%eth0` (the zone is dropped). Nil for anything else, host names
    /// and `[local]` included.
    public init?(_ text: String) {
        if let number = IPAddress.dotted(text) {
            self.init(v4: number)
            return
        }
        guard text.utf8.contains(58) else { return nil }
        let bare = text.utf8.contains(37) ? String(text.prefix { $0 != "%" }) : text
        guard bare.utf8.count <= 45 else { return nil }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, bare, &v6) == 1 else { return nil }
        let words = withUnsafeBytes(of: &v6) { raw in
            (
                UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
        self.init(high: words.0, low: words.1)
    }

    /// Four decimal numbers of at most three digits, 0…255, no leading zero (RFC 3986, 3.2.2).
    private static func dotted(_ text: String) -> UInt32? {
        var result: UInt32 = 0
        var part: UInt32 = 0
        var digits = 0
        var dots = 0
        for byte in text.utf8 {
            if byte == 46 {
                guard digits > 0, dots < 3 else { return nil }
                result = result << 8 | part
                (part, digits, dots) = (0, 0, dots + 1)
            } else {
                guard byte >= 48, byte <= 57, digits < 3, digits == 0 || part > 0 else { return nil }
                part = part * 10 + UInt32(byte - 48)
                digits += 1
                guard part <= 255 else { return nil }
            }
        }
        return dots == 3 && digits > 0 ? result << 8 | part : nil
    }

    /// Number of bits: 32 or 128.
    public var bitWidth: Int { isV4 ? 32 : 128 }

    /// The usual text: dotted for IPv4, RFC 5952 for IPv6.
    public var description: String {
        if isV4 { return "\(low >> 24 & 255).\(low >> 16 & 255).\(low >> 8 & 255).\(low & 255)" }
        var address = in6_addr()
        withUnsafeMutableBytes(of: &address) { raw in
            raw.storeBytes(of: high.bigEndian, as: UInt64.self)
            raw.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        var text = [CChar](repeating: 0, count: 46)
        guard inet_ntop(AF_INET6, &address, &text, 46) != nil else { return "::" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Orders IPv4 before IPv6, then by number.
    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        if left.isV4 != right.isV4 { return left.isV4 }
        return left.high != right.high ? left.high < right.high : left.low < right.low
    }

    /// The address with all but the first `prefix` bits zero.
    public func masked(_ prefix: Int) -> IPAddress {
        if isV4 {
            let mask = prefix <= 0 ? 0 : UInt32.max << UInt32(32 - min(prefix, 32))
            return IPAddress(v4: UInt32(truncatingIfNeeded: low) & mask)
        }
        let upper = prefix <= 0 ? 0 : (prefix >= 64 ? UInt64.max : UInt64.max << UInt64(64 - prefix))
        let lower = prefix <= 64 ? 0 : (prefix >= 128 ? UInt64.max : UInt64.max << UInt64(128 - prefix))
        return IPAddress(high: high & upper, low: low & lower)
    }

    /// The address with one of its bits set, counted from the first.
    func setting(bit: Int) -> IPAddress {
        if isV4 { return IPAddress(v4: UInt32(truncatingIfNeeded: low) | 1 << UInt32(31 - bit)) }
        return bit < 64
            ? IPAddress(high: high | 1 << UInt64(63 - bit), low: low)
            : IPAddress(high: high, low: low | 1 << UInt64(127 - bit))
    }

    /// 127.0.0.0/8 and ::1 (RFC 6890).
    public var isLoopback: Bool { isV4 ? low >> 24 == 127 : (high == 0 && low == 1) }

    /// Addresses that are not reachable from outside: RFC 1918, 100.64/10, link-local, fc00::/7, fe80::/10.
    public var isPrivate: Bool {
        guard isV4 else { return high >> 57 == 0xFC >> 1 || high >> 54 == 0xFE80 >> 6 }
        return low >> 24 == 10 || low >> 20 == 0xAC1 || low >> 16 == 0xC0A8 || low >> 16 == 0xA9FE
            || low >> 22 == 0x6440 >> 6
    }

    /// Addresses that name no single host: unspecified, multicast, broadcast.
    public var isUnroutable: Bool {
        isV4 ? (low >> 24 == 0 || low >> 28 >= 14) : ((high == 0 && low == 0) || high >> 56 == 0xFF)
    }
}

/// A block of addresses in CIDR notation (RFC 4632).
public struct CIDR: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// First address of the block.
    public let address: IPAddress
    /// Leading bits that all addresses share, 0…32 or 0…128.
    public let prefix: Int

    /// The block of that many leading bits around an address.
    public init(_ address: IPAddress, prefix: Int) {
        self.prefix = max(0, min(prefix, address.bitWidth))
        self.address = address.masked(self.prefix)
    }

    /// Reads `192.0.2.0/24`, `2001:db8::/32` or a lone address. Nil for anything else, host bits set included in none:
    /// `192.0.2.7/24` is read as `192.0.2.0/24`.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPAddress(String(parts[0])) else { return nil }
        guard parts.count == 2 else {
            self.init(address, prefix: address.bitWidth)
            return
        }
        guard let prefix = Int(parts[1]), prefix >= 0, prefix <= address.bitWidth else { return nil }
        self.init(address, prefix: prefix)
    }

    /// True when the address lies in the block.
    public func contains(_ other: IPAddress) -> Bool {
        other.isV4 == address.isV4 && other.masked(prefix) == address
    }

    /// True when the two blocks share an address.
    public func overlaps(_ other: CIDR) -> Bool {
        prefix <= other.prefix ? contains(other.address) : other.contains(address)
    }

    /// True when every address of the other block lies in this one.
    public func contains(_ other: CIDR) -> Bool { prefix <= other.prefix && contains(other.address) }

    /// True for a single address.
    public var isHost: Bool { prefix == address.bitWidth }

    /// The last address.
    public var last: IPAddress {
        (prefix..<address.bitWidth).reduce(address) { $0.setting(bit: $1) }
    }

    /// The fewest blocks that hold the addresses from one to another, in order.
    public static func blocks(from first: IPAddress, through last: IPAddress) -> [CIDR] {
        func blocks(_ block: CIDR) -> [CIDR] {
            if first <= block.address && block.last <= last { return [block] }
            if block.last < first || last < block.address { return [] }
            return blocks(CIDR(block.address, prefix: block.prefix + 1))
                + blocks(CIDR(block.address.setting(bit: block.prefix), prefix: block.prefix + 1))
        }
        return first.isV4 == last.isV4 ? blocks(CIDR(first, prefix: 0)) : []
    }

    /// What is left without another block: the fewest blocks that hold it, in order.
    public func subtracting(_ other: CIDR) -> [CIDR] {
        if other.contains(self) { return [] }
        guard contains(other) else { return [self] }
        let halves = [CIDR(address, prefix: prefix + 1), CIDR(address.setting(bit: prefix), prefix: prefix + 1)]
        return halves.flatMap { $0.subtracting(other) }
    }

    /// What is left without some blocks that lie in it, given in order: the fewest blocks that hold it, in order.
    public func subtracting(_ others: ArraySlice<CIDR>) -> [CIDR] {
        guard let first = others.first else { return [self] }
        if first.contains(self) { return [] }
        let halves = [CIDR(address, prefix: prefix + 1), CIDR(address.setting(bit: prefix), prefix: prefix + 1)]
        // Whichever begins before the second half lies in the first.
        var (low, high) = (others.startIndex, others.endIndex)
        while low < high {
            let middle = (low + high) / 2
            if others[middle].address < halves[1].address { low = middle + 1 } else { high = middle }
        }
        return halves[0].subtracting(others[..<low]) + halves[1].subtracting(others[low...])
    }

    /// `192.0.2.0/24`; a single address too has its length: `192.0.2.7/32`.
    public var description: String { "\(address)/\(prefix)" }

    /// Orders by address, wider blocks first.
    public static func < (left: CIDR, right: CIDR) -> Bool {
        left.address != right.address ? left.address < right.address : left.prefix < right.prefix
    }
}
