import CScan
import Glibc
import VigilModel

/// Where everything stands in a line as nearly all are: a connection with one address and no other `@`, and no quote
/// anywhere. It says the same as `PgBouncerText`, in one look; a line that is otherwise in any way is left to that.
struct PgBouncerUsualLine {
    // It is copied for each line: sixteen bits are enough for places in one.
    private let places:
        (
            pid: Place, pidEnd: Place, level: Place, levelEnd: Place, text: Place, pointerEnd: Place, slash: Place,
            at: Place, addressEnd: Place
        )
    let time: LogTime
    /// The connection ends with this line.
    let isFarewell: Bool

    private typealias Place = UInt16

    /// Bytes of the longest line.
    static let longest = Int(UInt16.max)

    var pid: Range<Int> { Int(places.pid)..<Int(places.pidEnd) }
    var level: Range<Int> { Int(places.level)..<Int(places.levelEnd) }
    var text: Int { Int(places.text) }
    var pointer: Range<Int> { text..<Int(places.pointerEnd) }
    var address: Range<Int> { Int(places.at) + 1..<Int(places.addressEnd) }
    private var names: Int { Int(places.pointerEnd) + 2 }
    private var message: Int { Int(places.addressEnd) + 1 }

    /// `C-0x` and `S-0x`.
    private static var client: UInt32 { 0x7830_2D43 }
    private static var server: UInt32 { 0x7830_2D53 }
    private static var login: StaticString { "login attempt: db=" }

    /// Looks at a line; nil for one that must be looked at more closely.
    @inline(__always)
    init?(_ line: UnsafeBufferPointer<UInt8>, _ head: PgBouncerHead) {
        let (count, text) = (line.count, head.text)
        let reach = Int(CSCAN_LINE_REACH)
        guard let base = line.baseAddress, count &- text >= 4 + reach, count <= PgBouncerUsualLine.longest else {
            return nil
        }
        let kind = UnsafeRawPointer(base + text).loadUnaligned(as: UInt32.self)
        guard kind == PgBouncerUsualLine.client || kind == PgBouncerUsualLine.server else { return nil }
        let digits = Int(cscan_hex(base + text + 4))
        let pointerEnd = text &+ 4 &+ digits
        guard digits > 0, base[pointerEnd] == 58, base[pointerEnd + 1] == 32 else { return nil }
        let names = pointerEnd &+ 2
        guard let at = PgBouncerUsualLine.find(64, base, names..<count), count &- at > reach else { return nil }
        let length = Int(cscan_address(base + at + 1))
        guard length > 0 else { return nil }
        let addressEnd = at &+ 1 &+ length
        let message = addressEnd &+ 1
        guard PgBouncerUsualLine.find(64, base, message..<count) == nil,
            PgBouncerUsualLine.find(34, base, names..<count) == nil
        else { return nil }
        // No name stands at 0.
        let slash = PgBouncerUsualLine.find(47, base, names..<at) ?? 0
        isFarewell = line.has("closing because: client ", at: message)
        if !isFarewell, line.has(PgBouncerUsualLine.login, at: message) {
            guard slash > 0, PgBouncerUsualLine.saysAgain(line, message, database: names..<slash, user: slash + 1..<at)
            else { return nil }
        }
        time = head.time
        places = (
            Place(truncatingIfNeeded: head.pid.lowerBound), Place(truncatingIfNeeded: head.pid.upperBound),
            Place(truncatingIfNeeded: head.level.lowerBound), Place(truncatingIfNeeded: head.level.upperBound),
            Place(truncatingIfNeeded: text), Place(truncatingIfNeeded: pointerEnd), Place(truncatingIfNeeded: slash),
            Place(truncatingIfNeeded: at), Place(truncatingIfNeeded: addressEnd)
        )
    }

    @inline(__always)
    private static func find(_ byte: Int32, _ base: UnsafePointer<UInt8>, _ range: Range<Int>) -> Int? {
        guard let found = memchr(base + range.lowerBound, byte, range.count) else { return nil }
        return UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) - base
    }

    /// True when a login attempt says the same database and user again, as the first slash parts them.
    @inline(__always)
    private static func saysAgain(
        _ line: UnsafeBufferPointer<UInt8>, _ message: Int, database: Range<Int>, user: Range<Int>
    ) -> Bool {
        let first = message + login.utf8CodeUnitCount
        let second = first + database.count + 6
        let tls = second + user.count
        guard database.count <= PgBouncerMessage.longestNames.database, let base = line.baseAddress,
            tls + 5 <= line.count, line.has(" user=", at: second - 6), line.has(" tls=", at: tls),
            memcmp(base + first, base + database.lowerBound, database.count) == 0,
            memcmp(base + second, base + user.lowerBound, user.count) == 0
        else { return false }
        // The last ` tls=` counts.
        return find(32, base, tls + 5..<line.count).map { line.has(" replication=", at: $0) } ?? true
    }

    /// Adds the line's record. Sixteen bytes behind the line must be readable.
    @inline(__always)
    func append(to rows: inout RowBuffer, _ line: UnsafeBufferPointer<UInt8>, offset: Int64) {
        guard let base = line.baseAddress else { return }
        let (slash, at) = (Int(places.slash), Int(places.at))
        rows.append(
            offset: offset, time: time, dataset: .pgbouncer, form: .columns, length: line.count + 32
        ) { row in
            if slash > 0 {
                let (user, database) = (slash + 1..<at, names..<slash)
                if user.count != 8 || !line.has("(nouser)", at: user.lowerBound) {
                    row.putWide(.userName, base, user)
                }
                if database.count != 6 || !line.has("(nodb)", at: database.lowerBound) {
                    row.putWide(.databaseName, base, database)
                }
            }
            row.putWide(.processID, base, pid)
            row.putWide(.connectionFrom, base, address)
            row.putWide(.sessionID, base, pointer)
            row.putWide(.severity, base, level)
            row.putWide(.message, base, message..<line.count)
        }
    }
}
