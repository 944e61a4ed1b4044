import Patterns
import VigilModel

/// Sessions that passed authorization and are not in yet.
///
/// PostgreSQL logs "connection authorized" before it checks database, limits, NOLOGIN and CONNECT privilege; a FATAL
/// with command tag `startup` follows within milliseconds when one of these fails. So the login is a success at the
/// session's next record that is no such FATAL, or once log time has moved on by two seconds.
struct LoginTracker {
    /// So many sessions may be coming in at a time, and so much may be told of each. Beyond that the oldest is taken to be
    /// in: no server starts so many within two seconds.
    private static let most = 10_000
    static let mostFound = 64
    /// Milliseconds of log time after which a session is in.
    static let patience: Int64 = 2000

    /// What is known of a session that is coming in. A class: it is changed in place, and only few exist at a time.
    final class Login {
        fileprivate let key: SessionKey
        /// Where its first record that is held stands, and the source's time before it.
        let offset: Int64
        let clockBefore: LogTime
        /// Time of its last record.
        var time: LogTime
        /// What evidence told of it.
        var found: [(EventField, String)] = []
        /// The event to be, once "connection authorized" was read.
        var event: SecurityEvent?
        /// The next one of its slot.
        fileprivate var next: Login?
        fileprivate var isHeld = true

        /// The event with all that is known, handed over once and not copied.
        func takeEvent() -> SecurityEvent? {
            for (field, value) in found { event?.take(field, value) }
            var taken: SecurityEvent?
            swap(&taken, &event)
            return taken
        }

        fileprivate init(_ key: SessionKey, offset: Int64, clockBefore: LogTime) {
            self.key = key
            self.offset = offset
            self.clockBefore = clockBefore
            time = clockBefore
        }
    }

    /// The first login of each slot; the others hang on it.
    private var slots = [Login?](repeating: nil, count: 4096)
    private var count = 0
    /// Logins in order of arrival; those that ended meanwhile are passed over when their turn comes.
    private var queue: [Login] = []
    private var front = 0
    /// No login held is older than this; not exact, so that it costs nothing.
    private var earliest = Int64.max / 2
    /// Slots in which something is held: a record of any other session ends here.
    private var filter = [Bool](repeating: false, count: 4096)

    /// True when nothing is held.
    var isEmpty: Bool { count == 0 }

    /// False when surely no session's time is over.
    @inline(__always)
    func mayExpire(at now: LogTime) -> Bool { now.milliseconds &- earliest > LoginTracker.patience }

    /// False when no session with that slot is coming in.
    @inline(__always)
    func mayHold(slot: Int) -> Bool { filter[slot] }

    /// The oldest record held, and the source's time before it.
    var oldest: (offset: Int64, clockBefore: LogTime)? {
        queue[front...].first(where: \.isHeld).map { ($0.offset, $0.clockBefore) }
    }

    /// The session's login, begun with this record if it is its first.
    mutating func login(_ key: SessionKey, offset: Int64, clockBefore: LogTime) -> Login {
        if let known = find(key) { return known }
        let slot = key.slot
        let login = Login(key, offset: offset, clockBefore: clockBefore)
        login.next = slots[slot]
        slots[slot] = login
        filter[slot] = true
        count += 1
        queue.append(login)
        earliest = min(earliest, clockBefore.milliseconds)
        return login
    }

    private func find(_ key: SessionKey) -> Login? {
        var known = slots[key.slot]
        while let login = known, login.key != key { known = login.next }
        return known
    }

    /// Ends a session's waiting and gives what was known.
    mutating func end(_ key: SessionKey) -> Login? {
        let slot = key.slot
        var before: Login?
        var known = slots[slot]
        while let login = known, login.key != key { (before, known) = (login, login.next) }
        guard let login = known else { return nil }
        if let before { before.next = login.next } else { slots[slot] = login.next }
        filter[slot] = slots[slot] != nil
        login.next = nil
        login.isHeld = false
        count -= 1
        if count == 0 {
            queue.removeAll(keepingCapacity: true)
            front = 0
            earliest = .max / 2
        }
        return login
    }

    /// The oldest session, when there is no room for another one, which this is.
    mutating func displaced(by key: SessionKey) -> Login? {
        guard count >= LoginTracker.most, find(key) == nil else { return nil }
        while front < queue.count {
            let login = queue[front]
            front += 1
            guard login.isHeld else { continue }
            compact()
            return end(login.key)
        }
        return nil
    }

    /// Sessions whose time is over, oldest first; all of them when `now` is nil.
    mutating func expired(at now: LogTime?) -> [Login] {
        var result: [Login] = []
        while front < queue.count {
            let login = queue[front]
            if login.isHeld {
                if let now, now.milliseconds - login.time.milliseconds <= LoginTracker.patience { break }
                if let ended = end(login.key) { result.append(ended) }
                if queue.isEmpty { break }
            }
            front += 1
        }
        earliest = .max / 2
        if front < queue.count, queue[front].isHeld { earliest = queue[front].time.milliseconds }
        compact()
        return result
    }

    /// Sessions that were authorized, oldest first: they have waited long enough by the clock on the wall. What is only
    /// known to come waits on.
    mutating func settled() -> [Login] {
        guard count > 0 else { return [] }
        return queue[front...].filter { $0.isHeld && $0.event != nil }.compactMap { end($0.key) }
    }

    /// Lets go those at the front of the queue whose turn is over.
    private mutating func compact() {
        guard front > 1024, front * 2 > queue.count else { return }
        queue.removeSubrange(..<front)
        front = 0
    }
}

/// A session id, or where a log has none the process id, as two numbers: exact for the up to 16 bytes that PostgreSQL
/// writes.
struct SessionKey: Hashable {
    let head, tail: UInt64
    let count: Int

    @inline(__always)
    init(_ record: LogRecord) {
        let column = record.isEmpty(.sessionID) ? LogColumn.processID : .sessionID
        count = record.contentRange(column).count
        head = record.head(column)
        tail = count > 8 ? record.tail(column) : 0
    }

    /// As the store keeps it.
    var text: String { "\(count):\(String(head, radix: 16)):\(String(tail, radix: 16))" }

    /// Reads what `text` gives.
    init?(text: some StringProtocol) {
        let parts = text.split(separator: ":")
        guard parts.count == 3, let count = Int(parts[0]), let head = UInt64(parts[1], radix: 16),
            let tail = UInt64(parts[2], radix: 16)
        else { return nil }
        self.count = count
        self.head = head
        self.tail = tail
    }

    /// FNV's way of mixing is enough: the numbers are the server's.
    func hash(into hasher: inout Hasher) { hasher.combine(head ^ tail &* 0x9E37_79B9_7F4A_7C15) }

    @inline(__always)
    var slot: Int {
        Int(truncatingIfNeeded: ((head &* 0x9E37_79B9_7F4A_7C15) ^ (tail &* 0xC2B2_AE3D_27D4_EB4F)) >> 52)
    }
}
