/// The text of a syslog line as the program gave it.
enum SyslogText {
    /// Undoes rsyslog's `#011` (TAB), `#012` (line feed) and `#015` (carriage return).
    static func undo(_ text: UnsafeBufferPointer<UInt8>, into result: inout [UInt8]) {
        result.removeAll(keepingCapacity: result.capacity < 1 << 20)
        var at = 0
        while at < text.count {
            if text[at] == 35, at + 3 < text.count, text[at + 1] == 48, text[at + 2] == 49,
                [49, 50, 53].contains(text[at + 3])
            {
                result.append(text[at + 3] == 49 ? 9 : text[at + 3] == 50 ? 10 : 13)
                at += 4
            } else {
                result.append(text[at])
                at += 1
            }
        }
    }

    /// What PostgreSQL puts before a text: `[5-1] ` is part 1 of message 5, `[5] ` message 5 as a whole. Without
    /// syslog_sequence_numbers there is `[2] ` for a part, and nothing before a whole message.
    struct Number {
        var message: Int
        var part: Int?
        /// Where the text goes on.
        var text: Int
    }

    /// Reads the number before a text; nil when there is none.
    static func number(_ text: UnsafeBufferPointer<UInt8>) -> Number? {
        var scan = SyslogScan(text)
        guard scan.skip(91), let message = scan.number(18) else { return nil }
        var part: Int?
        if scan.skip(45) {
            guard let number = scan.number(9) else { return nil }
            part = number
        }
        guard scan.skip(93), scan.skip(32) else { return nil }
        return Number(message: message, part: part, text: scan.at)
    }
}
