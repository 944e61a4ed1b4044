import Patterns
import VigilModel

/// Reads which client stands behind a connection that a server sees: HAProxy logs both sides of it, PgBouncer only its
/// own.
struct ProxyReader {
    /// What was found since it was last taken.
    private(set) var hops: [ProxyHop] = []

    /// A client of a pooler that has just come in.
    private struct Client {
        var key: UInt64
        /// Where its address starts in `addresses`, of all that were ever there; that of the next one ends it.
        var address: Int
        var time: LogTime
        var offset: Int64
        var clockBefore: LogTime
    }

    /// In the order they came in; those before `front` are over.
    private var clients: [Client] = []
    private var front = 0
    /// The addresses of these clients, as they stand in the records, and how many bytes of others were before them.
    private var addresses: [UInt8] = []
    private var gone = 0
    private let scratch = Regex.Scratch()
    private let haproxy: Regex?
    private let pooler: Regex?
    /// Milliseconds of log time within which a client that came in is the reason for a new connection to the server.
    private static let patience: Int64 = 5000
    private static let limit = 4096

    init() {
        // Tw/Tc/Tt behind the own address; a plus stands before a time that was logged before the end (manual, 8.2.2).
        haproxy = try? Regex(#"\] \S+ \S+ \S+ -?\d+/-?\d+/(?:(?<open>\+)|(?<total>\d+) )"#)
        pooler = try? Regex(#"^new connection to server \(from (?<address>.+):(?<port>\d+)\)$"#)
    }

    /// Gives what was found since the last time.
    mutating func take() -> [ProxyHop] {
        defer { hops = [] }
        return hops
    }

    /// The oldest record that a reading must start with to find the same, and the source's time before it.
    func held(at now: LogTime) -> (offset: Int64, clockBefore: LogTime)? {
        clients[front...].first { !ProxyReader.isOver($0, at: now) }
            .map { ($0.offset, $0.clockBefore) }
    }

    /// False when surely nothing is to be read from a record.
    static func mayRead(_ record: LogRecord) -> Bool {
        switch record.dataset {
        case .haproxy: return !record.isEmpty(.location)
        case .pgbouncer:
            let head = record.head(.message)
            return head == loginHead || head == serverHead
        default: return false
        }
    }

    /// Looks at a record of a proxy's or pooler's log.
    mutating func read(_ record: LogRecord, time: LogTime, clockBefore: LogTime) {
        guard ProxyReader.mayRead(record) else { return }
        if record.dataset == .haproxy {
            readProxy(record)
        } else {
            readPooler(record, time: time, clockBefore: clockBefore)
        }
    }

    private static let login = Array("login attempt: ".utf8)
    private static let server = Array("new connection to server (from ".utf8)
    /// Their first eight bytes, `login at` and `new conn`, as `LogRecord.head` gives them.
    private static var loginHead: UInt64 { 0x7461_206E_6967_6F6C }
    private static var serverHead: UInt64 { 0x6E6E_6F63_2077_656E }
    /// How the pooler's messages start that are read.
    static var heads: [UInt64] { [loginHead, serverHead] }

    /// A connection with the proxy's own address to the server in `location`. Its time is when the client came.
    private mutating func readProxy(_ record: LogRecord) {
        let client = EventBuilder.address(record)
        let own = EventBuilder.endpoint(record, .location)
        guard let address = client.host, let hop = own.host, let port = own.port, let haproxy else { return }
        var total: Int64?
        let text = record.content(.message)
        haproxy.match(text, scratch) { group, range in
            if group == "total" { total = Int64(String(decoding: text[range], as: UTF8.self)) }
        }
        hops.append(
            ProxyHop(
                address: hop, port: port, clientAddress: address, clientPort: client.port,
                start: record.time, end: total.map { record.time.adding(milliseconds: $0) }, isExact: true))
    }

    /// A pooler says who comes in, and when it opens a connection to the server, but not for whom: the last client of that
    /// database and user is the likeliest.
    private mutating func readPooler(_ record: LogRecord, time: LogTime, clockBefore: LogTime) {
        if record.starts(.message, with: ProxyReader.login) {
            guard !record.isEmpty(.connectionFrom) else { return }
            forget(at: time)
            clients.append(
                Client(
                    key: ProxyReader.key(record), address: gone + addresses.count, time: time, offset: record.offset,
                    clockBefore: clockBefore))
            record.withContent(.connectionFrom) { addresses += $0 }
        } else if record.starts(.message, with: ProxyReader.server), let pooler {
            let key = ProxyReader.key(record)
            guard let number = clients[front...].lastIndex(where: { $0.key == key }) else { return }
            let client = address(of: number)
            guard let clientAddress = client.host, clientAddress != "[local]" else { return }
            let text = record.content(.message)
            var own: (address: String?, port: Int?) = (nil, nil)
            pooler.match(text, scratch) { group, range in
                let value = String(decoding: text[range], as: UTF8.self)
                if group == "address" {
                    own.address = value.hasPrefix("[") ? String(value.dropFirst().dropLast()) : value
                } else {
                    own.port = Int(value)
                }
            }
            guard let address = own.address, let port = own.port else { return }
            hops.append(
                ProxyHop(
                    address: address, port: port, clientAddress: clientAddress, clientPort: client.port, start: time,
                    end: nil, isExact: false))
        }
    }

    private func address(of number: Int) -> (host: String?, port: Int?) {
        let next = number + 1
        let end = next < clients.count ? clients[next].address - gone : addresses.count
        return addresses.withUnsafeBufferPointer {
            EventBuilder.endpoint(UnsafeBufferPointer(rebasing: $0[(clients[number].address - gone)..<end]))
        }
    }

    private mutating func forget(at now: LogTime) {
        while front < clients.count,
            clients.count - front >= ProxyReader.limit || ProxyReader.isOver(clients[front], at: now)
        {
            front += 1
        }
        if front > 1024, front * 2 > clients.count {
            let left = front < clients.count ? clients[front].address : gone + addresses.count
            addresses.removeSubrange(..<(left - gone))
            gone = left
            clients.removeSubrange(..<front)
            front = 0
        }
    }

    private static func isOver(_ client: Client, at now: LogTime) -> Bool {
        client.time.milliseconds + patience < now.milliseconds
    }

    private static func key(_ record: LogRecord) -> UInt64 {
        var hash = PlaceHash()
        record.withContent(.databaseName) { hash.combine($0) }
        record.withContent(.userName) { hash.combine($0) }
        return hash.place
    }
}
