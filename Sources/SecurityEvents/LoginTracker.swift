import VigilModel

/// Sessions that passed authorization and are not in yet.
///
/// PostgreSQL logs "connection authorized" before it checks database, limits, NOLOGIN and CONNECT privilege; a FATAL
/// with command tag `startup` follows within milliseconds when one of these fails. So the login is a success at the
/// session's next record that is no such FATAL, or once log time has moved on by two seconds.
struct LoginTracker {
    /// Milliseconds of log time after which a session is in.
    static let patience: Int64 = 2000

    /// What is known of a session that is coming in.
    struct Login {
        var key: SessionKey
        /// Where its first record that is held stands, and the source's time before it.
        var offset: Int64
        var clockBefore: LogTime
        /// Time of its last record.
        var time: LogTime
        var authMethod: String?
        var hbaRule: String?
        /// The event to be, once "connection authorized" was read.
        var event: SecurityEvent?
    }

    private var logins: [SessionKey: (serial: Int, login: Login)] = [:]
    /// Keys in order of arrival; those that ended meanwhile are passed over when their turn comes.
    private var queue: [(serial: Int, key: SessionKey)] = []
    private var front = 0
    private var serial = 0
    /// How many sessions have a key of that hash: a record of any other session ends here.
    private var filter = [UInt8](repeating: 0, count: 4096)

    /// True when nothing is held.
    var isEmpty: Bool { logins.isEmpty }

    /// False when the session is surely none of those that are coming in.
    @inline(__always)
    func mayHold(_ key: SessionKey) -> Bool { filter[key.slot] != 0 }

    /// The oldest record held, and the source's time before it.
    var oldest: (offset: Int64, clockBefore: LogTime)? {
        for entry in queue[front...] {
            if let held = logins[entry.key], held.serial == entry.serial {
                return (held.login.offset, held.login.clockBefore)
            }
        }
        return nil
    }

    /// Starts or goes on with a session's login.
    mutating func update(_ key: SessionKey, start: @autoclosure () -> Login, _ change: (inout Login) -> Void) {
        if logins[key] == nil {
            serial += 1
            logins[key] = (serial, start())
            queue.append((serial, key))
            filter[key.slot] = filter[key.slot] == 255 ? 255 : filter[key.slot] + 1
        }
        if var held = logins[key] {
            change(&held.login)
            logins[key] = held
        }
    }

    /// Ends a session's waiting and gives what was known.
    mutating func end(_ key: SessionKey) -> Login? {
        guard let held = logins.removeValue(forKey: key) else { return nil }
        // A full counter no longer knows its number and stays.
        if filter[key.slot] != 255 { filter[key.slot] -= 1 }
        if logins.isEmpty {
            queue.removeAll(keepingCapacity: true)
            front = 0
        }
        return held.login
    }

    /// Sessions whose time is over, oldest first; all of them when `now` is nil.
    mutating func expired(at now: LogTime?) -> [Login] {
        var result: [Login] = []
        while front < queue.count {
            let entry = queue[front]
            if let held = logins[entry.key], held.serial == entry.serial {
                if let now, now.milliseconds - held.login.time.milliseconds <= LoginTracker.patience { break }
                if let ended = end(entry.key) { result.append(ended) }
                if queue.isEmpty { break }
            }
            front += 1
        }
        if front > 1024, front * 2 > queue.count {
            queue.removeSubrange(..<front)
            front = 0
        }
        return result
    }
}

/// A session id as two numbers: exact for the up to 16 bytes that PostgreSQL writes.
struct SessionKey: Hashable {
    let head, tail: UInt64
    let count: Int

    @inline(__always)
    init(_ record: LogRecord) {
        let range = record.contentRange(.sessionID)
        count = range.count
        head = record.head(.sessionID)
        tail = count > 8 ? record.tail(.sessionID) : 0
    }

    @inline(__always)
    var slot: Int {
        Int(truncatingIfNeeded: ((head &* 0x9E37_79B9_7F4A_7C15) ^ (tail &* 0xC2B2_AE3D_27D4_EB4F)) >> 52)
    }
}
