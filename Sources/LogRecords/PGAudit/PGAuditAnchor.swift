/// The columns of a csv row of pgauditlogtofile up to 1.7.0 that only the extension and the server write: process,
/// address, session, …, SQLSTATE. Nothing in those rows is escaped, so user and database, which stand before it, and the
/// message behind it may show quotes, commas and line feeds.
struct PGAuditAnchor: Equatable {
    /// The comma before the process id.
    var start = 0
    /// The byte behind the comma after the SQLSTATE.
    var end = 0
    var process = 0..<0
    var address = 0..<0
    var session = 0..<0
    var commandTag = 0..<0
    /// Empty in 1.7.0, which leaves out the line number, too.
    var sessionStart = 0..<0
    var virtualTransaction = 0..<0
    var transaction = 0..<0
    var sqlState = 0..<0
    /// Texts are quoted as in csvlog (1.0 and 1.1).
    var isQuoted = false

    /// Longest host name and port.
    private static let longestAddress = 300

    /// True when a process id stands behind the comma at `start`: the cheap test before a reading.
    @inline(__always)
    static func mayStart(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> Bool {
        guard bytes[start] == 44 else { return false }
        var at = start + 1
        while at < bytes.count, at - start <= 10, PGAuditTime.isDigit(bytes[at]) { at += 1 }
        return at > start + 1 && at < bytes.count && bytes[at] == 44
    }

    /// Reads the columns behind the comma at `start`; nil when they do not stand there whole.
    init?(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) {
        self.start = start
        var at = start + 1
        guard let process = PGAuditAnchor.field(bytes, &at, longest: 10),
            bytes[process].allSatisfy(PGAuditTime.isDigit),
            let pid = Int(String(decoding: bytes[process], as: UTF8.self)),
            readSession(bytes, &at, of: pid)
        else { return nil }
        self.process = process
        guard let first = PGAuditAnchor.field(bytes, &at, longest: 64) else { return nil }
        let mark = at
        if readWithStart(bytes, &at, line: first) || readWithoutStart(bytes, &at, mark, tag: first) {
            end = at
        } else {
            return nil
        }
    }

    /// Address and session id. A client that bound its own unix socket path put raw bytes into the address; they come
    /// first, so the last place that shows the session id of this process is the true one.
    private mutating func readSession(_ bytes: UnsafeBufferPointer<UInt8>, _ at: inout Int, of pid: Int) -> Bool {
        let from = at
        let isLocal = bytes[from...].starts(with: "[local]:".utf8)
        let reach = isLocal ? RawPort.reach : PGAuditAnchor.longestAddress
        var found: Range<Int>?
        var comma = from
        while comma < min(bytes.count, from + reach) {
            if bytes[comma] == 44 {
                let id = bytes[(comma + 1)...].prefix(34).prefix { $0 != 44 }
                if PGAuditAnchor.isSession(id, of: pid) {
                    found = id.startIndex..<id.endIndex
                    address = from..<comma
                }
                if !isLocal || found != nil && comma - from < 9 { break }
            } else if bytes[comma] == 10, !isLocal {
                return false
            }
            comma += 1
        }
        guard let found, found.upperBound < bytes.count, bytes[found.upperBound] == 44 else { return false }
        session = found
        at = found.upperBound + 1
        if address.count >= 2, bytes[address.lowerBound] == 34, bytes[address.upperBound - 1] == 34 {
            isQuoted = true
            address = address.lowerBound + 1..<address.upperBound - 1
        }
        return true
    }

    /// Line number, command tag, session start and what follows (1.0 to 1.6).
    private mutating func readWithStart(_ bytes: UnsafeBufferPointer<UInt8>, _ at: inout Int, line: Range<Int>) -> Bool
    {
        guard !line.isEmpty, bytes[line].allSatisfy(PGAuditTime.isDigit),
            let tag = PGAuditAnchor.field(bytes, &at, longest: 80),
            let start = PGAuditAnchor.field(bytes, &at, longest: 40), start.count > 20,
            let parts = PGAuditTime.parts(UnsafeBufferPointer(rebasing: bytes[start])), parts.end == start.count
        else { return false }
        commandTag = tag
        sessionStart = start
        return readEnd(bytes, &at)
    }

    /// Command tag and what follows (1.7.0).
    private mutating func readWithoutStart(
        _ bytes: UnsafeBufferPointer<UInt8>, _ at: inout Int, _ from: Int, tag: Range<Int>
    ) -> Bool {
        at = from
        commandTag = tag
        sessionStart = 0..<0
        return readEnd(bytes, &at)
    }

    /// Virtual transaction, transaction and SQLSTATE.
    private mutating func readEnd(_ bytes: UnsafeBufferPointer<UInt8>, _ at: inout Int) -> Bool {
        guard let virtual = PGAuditAnchor.field(bytes, &at, longest: 24),
            bytes[virtual].allSatisfy({ PGAuditTime.isDigit($0) || $0 == 47 || $0 == 45 }),
            let transaction = PGAuditAnchor.field(bytes, &at, longest: 10),
            !transaction.isEmpty, bytes[transaction].allSatisfy(PGAuditTime.isDigit),
            let state = PGAuditAnchor.field(bytes, &at, longest: 5), state.count == 5,
            bytes[state].allSatisfy({ PGAuditTime.isDigit($0) || ($0 >= 65 && $0 <= 90) }),
            // csvlog has a severity there.
            bytes[state].contains(where: PGAuditTime.isDigit)
        else { return false }
        virtualTransaction = virtual
        self.transaction = transaction
        sqlState = state
        if commandTag.count >= 2, bytes[commandTag.lowerBound] == 34, bytes[commandTag.upperBound - 1] == 34 {
            commandTag = commandTag.lowerBound + 1..<commandTag.upperBound - 1
        }
        return true
    }

    /// A column up to the next comma, which is passed.
    private static func field(_ bytes: UnsafeBufferPointer<UInt8>, _ at: inout Int, longest: Int) -> Range<Int>? {
        let start = at
        while at < bytes.count, at - start <= longest {
            if bytes[at] == 44 {
                at += 1
                return start..<at - 1
            }
            if bytes[at] == 10 { return nil }
            at += 1
        }
        return nil
    }

    /// `HEX.HEX`, the second the process.
    static func isSession(_ id: some BidirectionalCollection<UInt8>, of pid: Int) -> Bool {
        guard id.count <= 33, let dot = id.firstIndex(of: 46), dot > id.startIndex, id[..<dot].allSatisfy(isHex)
        else { return false }
        return Int(String(decoding: id[id.index(after: dot)...], as: UTF8.self), radix: 16) == pid
    }

    private static func isHex(_ byte: UInt8) -> Bool { PGAuditTime.isDigit(byte) || (byte >= 97 && byte <= 102) }
}
