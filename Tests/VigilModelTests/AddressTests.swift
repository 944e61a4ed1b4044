import Testing
import VigilModel

@Suite("Addresses")
struct AddressTests {
    @Test(
        "are read and written in their usual form",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("::1", "::1"), ("2001:DB8:0:0::5", "2001:db8::5"),
            ("::ffff:192.0.2.7", "192.0.2.7"), ("fe80::1%eth0", "fe80::1"), ("0.0.0.0", "0.0.0.0"),
            ("255.255.255.255", "255.255.255.255"),
        ])
    func forms(text: String, shown: String) {
        #expect(IPAddress(text)?.description == shown)
    }

    @Test(
        "are nothing else",
        arguments: [
            "", "[local]", "host.example", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1..2.3", "1.2.3.4 ", "::g",
            "1.2.3.4:5", "٣.1.1.1",
        ])
    func refused(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(
        "lie in blocks",
        arguments: [
            ("192.0.2.0/24", "192.0.2.255", true), ("192.0.2.0/24", "192.0.3.0", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::", false),
            ("0.0.0.0/0", "9.9.9.9", true), ("::/0", "9.9.9.9", false), ("192.0.2.7", "192.0.2.7", true),
            ("2001:db8::/127", "2001:db8::1", true), ("2001:db8::/127", "2001:db8::2", false),
        ])
    func blocks(block: String, address: String, inside: Bool) throws {
        let block = try #require(CIDR(block))
        let address = try #require(IPAddress(address))
        #expect(block.contains(address) == inside)
    }

    @Test("know where they can be reached from")
    func kinds() throws {
        for text in ["10.0.0.1", "172.31.255.255", "192.168.1.1", "169.254.0.1", "100.64.0.1", "fd00::1", "fe80::1"] {
            #expect(try #require(IPAddress(text)).isPrivate, "\(text)")
        }
        for text in ["172.32.0.1", "11.0.0.1", "100.128.0.1", "2001:db8::1", "203.0.113.1"] {
            #expect(try !#require(IPAddress(text)).isPrivate, "\(text)")
        }
        for text in ["127.91.0.1", "::1"] { #expect(try #require(IPAddress(text)).isLoopback, "\(text)") }
    }
}

@Suite("Log times")
struct LogTimeTests {
    @Test(
        "are read and written",
        arguments: [
            ("2026-03-02T09:49:01.374Z", "2026-03-02T09:49:01.374Z"),
            ("2026-03-02 09:49:01.374", "2026-03-02T09:49:01.374Z"),
            ("2026-03-02T09:49:01+02:00", "2026-03-02T07:49:01.000Z"),
            ("2024-02-29", "2024-02-29T00:00:00.000Z"), ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
            ("2000-01-01 00:00:00-0330", "2000-01-01T03:30:00.000Z"),
        ])
    func forms(text: String, shown: String) {
        #expect(LogTime(parsing: text)?.description == shown)
    }

    @Test(
        "are nothing else",
        arguments: [
            "", "yesterday", "2026-13-01", "2026-02-31", "2025-02-29", "2026-01-01T25:00", "2026-01-01T10:00 CETX",
        ])
    func refused(text: String) {
        #expect(LogTime(parsing: text) == nil)
    }

    @Test("agree with the calendar day by day over four centuries")
    func calendar() {
        var days = LogTime.days(year: 1900, month: 1, day: 1)
        let last = LogTime.days(year: 2300, month: 1, day: 1)
        while days <= last {
            let date = LogTime.date(days: days)
            #expect(LogTime.days(year: date.year, month: date.month, day: date.day) == days)
            days += 1
        }
    }
}

@Suite("Text of others")
struct ShownTests {
    @Test(
        "is made safe to show",
        arguments: [
            ("plain ü 用户", "plain ü 用户"), ("a\nb\tc\r", "a\\nb\\tc\\r"), ("\u{1B}[31mred", "\\u{1b}[31mred"),
            ("\u{202E}exe", "\\u{202e}exe"), ("zero\u{200B}width", "zero\\u{200b}width"),
        ])
    func escaped(text: String, shown: String) {
        #expect(Shown.text(text) == shown)
    }

    @Test("keeps bytes that are not UTF-8 visible")
    func bytes() {
        #expect(String(escaping: [0x62, 0xFF, 0xC3, 0xA9, 0xC3]) == "b\\xffé\\xc3")
    }
}
