import LogRecords
import Responses
import VigilModel

/// Whatever a text is: an address, a time or a list that it is taken for says the same when it is read again, and what is
/// shown of it holds nothing that a terminal would obey.
enum TextProperty {
    static let seeds: [[UInt8]] = [
        "203.0.113.7", "2001:db8::/32", "::ffff:192.0.2.1", "[local]", "2026-03-02T14:30:00.123Z",
        "2026-03-03T06:30+02:00", "%m [%p] %q%u@%d ", "%t:%r:%-5u@%d:[%p]: ", "a\u{1B}[31m\u{202E}b\u{0}",
        "2026-03-02 14:30:00,123 fail2ban.actions [1]: NOTICE [pgvigil] Ban 203.0.113.7",
        "add pgvigil4 203.0.113.7 timeout 3600\n", "host all all 203.0.113.7/32 reject\n",
    ].map { Array($0.utf8) }

    static func problem(with input: [UInt8]) -> String? {
        let text = String(decoding: input, as: UTF8.self)
        if let address = IPAddress(text), IPAddress(address.description) != address {
            return "\(address) is no address"
        }
        if let block = CIDR(text), CIDR(block.description) != block { return "\(block) is no block" }
        if let time = LogTime(parsing: text), LogTime(parsing: time.description) != time { return "\(time) is no time" }
        for format in BlockListFormat.allCases {
            for block in format.blocks(in: text) where CIDR(block.description) != block {
                return "\(block) is no block"
            }
        }
        let shown = Shown.text(String(escaping: input))
        let isSafe = shown.unicodeScalars.allSatisfy {
            $0.value >= 0x20 && $0.value != 0x7F && !(0x80..<0xA0 ~= $0.value)
        }
        if !isSafe { return "what is shown is not safe" }
        var facts = ReadingFacts(timezone: nil, prefix: text, head: input)
        facts.head = Array(input.prefix(LogFormat.sniffLength))
        _ = LogFormat.stderr.gaps(facts)
        return nil
    }
}
