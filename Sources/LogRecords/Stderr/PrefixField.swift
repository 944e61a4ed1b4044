import VigilModel

/// What an escape of `log_line_prefix` stands for (PostgreSQL manual, 19.8.3; `log_status_format` in elog.c).
enum PrefixField: UInt8, CaseIterable {
    case application, user, database, remote, host, local, backendType, process, leader, time, milliseconds, epoch
    case tag, state, session, line, start, virtualTransaction, transaction, queryID
    /// Anything up to the severity, in a prefix that was not recognised (`%~`, no escape of the server's).
    case rest

    /// The field of an escape's letter; nil for a letter that has none, which the server ignores.
    init?(escape letter: UInt8) {
        switch letter {
        case UInt8(ascii: "a"): self = .application
        case UInt8(ascii: "u"): self = .user
        case UInt8(ascii: "d"): self = .database
        case UInt8(ascii: "r"): self = .remote
        case UInt8(ascii: "h"): self = .host
        case UInt8(ascii: "L"): self = .local
        case UInt8(ascii: "b"): self = .backendType
        case UInt8(ascii: "p"): self = .process
        case UInt8(ascii: "P"): self = .leader
        case UInt8(ascii: "t"): self = .time
        case UInt8(ascii: "m"): self = .milliseconds
        case UInt8(ascii: "n"): self = .epoch
        case UInt8(ascii: "i"): self = .tag
        case UInt8(ascii: "e"): self = .state
        case UInt8(ascii: "c"): self = .session
        case UInt8(ascii: "l"): self = .line
        case UInt8(ascii: "s"): self = .start
        case UInt8(ascii: "v"): self = .virtualTransaction
        case UInt8(ascii: "x"): self = .transaction
        case UInt8(ascii: "Q"): self = .queryID
        case UInt8(ascii: "~"): self = .rest
        default: return nil
        }
    }

    /// True for text of which the first byte cannot be told from what stands before it: names, tags, types.
    var isFree: Bool {
        switch self {
        case .application, .user, .database, .tag, .backendType, .rest: true
        default: false
        }
    }

    /// True for bytes as a client sent them, line feeds included.
    var isRaw: Bool { self == .user || self == .database || self == .rest }

    /// True for a name as the client sent it.
    var isName: Bool { self == .user || self == .database }

    /// Most bytes that the server prints without padding. Names are cut to 63 (NAMEDATALEN).
    var longest: Int {
        switch self {
        case .application, .user, .database: 63
        case .remote, .host, .local: 64
        case .time, .milliseconds, .start: 36
        case .backendType: 64
        case .rest: 256
        case .session, .virtualTransaction: 32
        // `sending backup "label"`
        case .tag: 128
        default: 20
        }
    }
}

/// Where the fields of a line stand, as offsets into it.
struct PrefixFields {
    private var bounds = InlineArray<42, Int32>(repeating: 0)

    /// From the field's first byte to behind its last; empty for one that says nothing.
    subscript(field: PrefixField) -> Range<Int> {
        @inline(__always) get {
            let at = Int(field.rawValue) * 2
            return Int(bounds[at])..<Int(bounds[at + 1])
        }
        @inline(__always) set {
            let at = Int(field.rawValue) * 2
            bounds[at] = Int32(truncatingIfNeeded: newValue.lowerBound)
            bounds[at + 1] = Int32(truncatingIfNeeded: newValue.upperBound)
        }
    }

    /// Calls for each of these that says something, without a copy of them all for each.
    @inline(__always)
    func forEach(of fields: [PrefixField], _ body: (PrefixField, Range<Int>) -> Void) {
        withUnsafeBytes(of: bounds) { bounds in
            for field in fields {
                let at = Int(field.rawValue) * 8
                let low = bounds.load(fromByteOffset: at, as: Int32.self)
                let high = bounds.load(fromByteOffset: at + 4, as: Int32.self)
                if low < high { body(field, Int(low)..<Int(high)) }
            }
        }
    }

    /// Leaves none of these.
    mutating func clear(_ fields: [PrefixField]) { for field in fields { self[field] = 0..<0 } }
}
