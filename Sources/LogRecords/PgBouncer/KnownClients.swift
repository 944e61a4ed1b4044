import VigilModel

/// What connections were seen last, and with which address: a table of fixed size, since every login and every farewell
/// of a busy pooler comes by here.
struct KnownClients {
    private struct Slot {
        /// Never 0 for one that is taken.
        var key: UInt64 = 0
        var address: UInt64 = 0
        var time = LogTime.distantPast
    }

    private static let size = 4096
    /// Connections remembered at a time.
    private static let most = 1024
    private var slots = [Slot](repeating: Slot(), count: size)
    private var count = 0
    /// Milliseconds within which the lines of one connection belong together.
    private let span: Int64

    init(span: Int64) { self.span = span }

    /// The hash of a connection's address and when it was seen; nil for one that is not known.
    subscript(key: UInt64) -> (address: UInt64, time: LogTime)? {
        let slot = slots[place(of: key)]
        return slot.key == 0 ? nil : (slot.address, slot.time)
    }

    /// Remembers a connection. When there are too many, those that are over make room, or else all.
    mutating func set(_ key: UInt64, address: UInt64, time: LogTime) {
        if count >= KnownClients.most {
            let recent = slots.filter { $0.key != 0 && abs(time.milliseconds - $0.time.milliseconds) <= span }
            self = KnownClients(span: span)
            if recent.count < KnownClients.most { for slot in recent { put(slot) } }
        }
        put(Slot(key: key | 1, address: address, time: time))
    }

    private mutating func put(_ slot: Slot) {
        let place = place(of: slot.key)
        if slots[place].key == 0 { count += 1 }
        slots[place] = slot
    }

    /// Forgets a connection.
    mutating func remove(_ key: UInt64) {
        var hole = place(of: key)
        guard slots[hole].key != 0 else { return }
        slots[hole].key = 0
        count -= 1
        // Those behind it that could not stand nearer to their own place move up.
        var next = (hole + 1) % KnownClients.size
        while slots[next].key != 0 {
            let own = KnownClients.home(slots[next].key)
            if (next - own + KnownClients.size) % KnownClients.size >= (next - hole + KnownClients.size)
                % KnownClients.size
            {
                slots[hole] = slots[next]
                slots[next].key = 0
                hole = next
            }
            next = (next + 1) % KnownClients.size
        }
    }

    /// Where a key stands, or would.
    private func place(of key: UInt64) -> Int {
        var place = KnownClients.home(key | 1)
        while slots[place].key != 0, slots[place].key != key | 1 { place = (place + 1) % KnownClients.size }
        return place
    }

    private static func home(_ key: UInt64) -> Int { Int(truncatingIfNeeded: key >> 52) }
}
