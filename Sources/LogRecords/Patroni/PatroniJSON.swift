/// One line of Patroni's JSON log: a flat object whose keys are the names of Python's log record, or what
/// `log.format` renames them to.
struct PatroniJSON {
    var time: [UInt8] = []
    var level: [UInt8] = []
    var message: [UInt8] = []
    var exception: [UInt8] = []

    /// True when it has all that a record needs.
    var isComplete: Bool { !time.isEmpty && !level.isEmpty && hasMessage }
    private var hasMessage = false

    /// Reads the line; nil when it is no JSON object.
    init?(_ line: UnsafeBufferPointer<UInt8>) {
        var cursor = LineCursor(line)
        guard cursor.skip(123) else { return nil }
        cursor.skipBlanks()
        if cursor.skip(125) { return nil }
        while true {
            cursor.skipBlanks()
            guard let key = cursor.string() else { return nil }
            cursor.skipBlanks()
            guard cursor.skip(58) else { return nil }
            cursor.skipBlanks()
            if cursor.next == 34 {
                guard let value = cursor.string() else { return nil }
                take(key, value)
            } else {
                guard cursor.skipValue() else { return nil }
            }
            cursor.skipBlanks()
            if cursor.skip(44) { continue }
            guard cursor.skip(125) else { return nil }
            cursor.skipBlanks()
            guard cursor.isAtEnd else { return nil }
            return
        }
    }

    private mutating func take(_ key: [UInt8], _ value: [UInt8]) {
        switch String(decoding: key, as: UTF8.self) {
        case "asctime", "@timestamp", "timestamp", "time", "ts": time = value
        case "levelname", "level", "severity", "lvl", "log.level": level = value
        case "message", "msg":
            message = value
            hasMessage = true
        case "exc_info", "exc_text", "stack_info", "exception":
            if !exception.isEmpty { exception.append(10) }
            exception += value
        default: break
        }
    }
}

extension LineCursor {
    /// Steps over blanks of JSON.
    mutating func skipBlanks() { _ = run { $0 == 32 || $0 == 9 || $0 == 13 || $0 == 10 } }

    /// Steps over a JSON string and gives what it stands for; a half surrogate stands for U+FFFD.
    mutating func string() -> [UInt8]? {
        guard skip(34) else { return nil }
        var text: [UInt8] = []
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == 34 { return text }
            guard byte == 92 else {
                text.append(byte)
                continue
            }
            let escape = next
            at += 1
            switch escape {
            case 34, 92, 47: text.append(escape)
            case 98: text.append(8)
            case 102: text.append(12)
            case 110: text.append(10)
            case 114: text.append(13)
            case 116: text.append(9)
            case 117:
                guard var code = hexadecimal() else { return nil }
                if code & 0xFC00 == 0xD800, skip("\\u") {
                    guard let low = hexadecimal() else { return nil }
                    code = low & 0xFC00 == 0xDC00 ? 0x10000 + (code & 0x3FF) << 10 + (low & 0x3FF) : 0xFFFD
                }
                text += Array(String(Unicode.Scalar(code) ?? "\u{FFFD}").utf8)
            default: return nil
            }
        }
        return nil
    }

    private mutating func hexadecimal() -> UInt32? {
        guard at + 4 <= bytes.count else { return nil }
        var value: UInt32 = 0
        for byte in bytes[at..<at + 4] {
            guard byte.isHexadecimal else { return nil }
            value = value << 4 | UInt32(byte.digit ?? Int(byte | 32) - 87)
        }
        at += 4
        return value
    }

    /// Steps over a number, a word, or an object or array with all that is in it.
    mutating func skipValue() -> Bool {
        var depth = 0
        let start = at
        while at < bytes.count {
            switch next {
            case 34:
                guard string() != nil else { return false }
                continue
            case 123, 91: depth += 1
            case 125, 93:
                if depth == 0 { return at > start }
                depth -= 1
            case 44:
                if depth == 0 { return at > start }
            default: break
            }
            at += 1
        }
        return false
    }
}
