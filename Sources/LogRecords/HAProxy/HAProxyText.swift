import CScan
import VigilModel

/// Reads what HAProxy says in a line (configuration manual, 8.2 "Log formats"):
/// `192.0.2.7:35988 [26/Nov/2026:06:06:24.742] pg pg/pg-test-1 1/0/0 2 -- 1/1/0/0/0 0/0`.
/// Where the own address of the connection to the server stands behind the server (`%bi:%bp`, see docs/proxy.md), it
/// goes to the column `location`.
struct HAProxyText {
    /// The time of a connection, as local time, or in UTC when its zone is printed; nil: the line is about none.
    private(set) var time: (time: LogTime, isLocal: Bool)?
    private var client: Range<Int>?
    private var hop: Range<Int>?
    private var frontend: Range<Int>?
    private var server: Range<Int>?
    private var state: Range<Int>?

    /// Takes a text apart.
    init(_ text: UnsafeBufferPointer<UInt8>, _ dates: inout HAProxyDates) {
        var cursor = LineCursor(text)
        guard let client = HAProxyText.endpoint(&cursor), cursor.skip(" ["), let time = dates.read(&cursor),
            cursor.skip("] ")
        else {
            if cursor.at == 0 { readConnect(text) }
            return
        }
        self.time = time
        self.client = client
        let frontend = cursor.word()
        let nameEnd = text[frontend].firstIndex { $0 == 126 || $0 == 58 } ?? frontend.upperBound
        self.frontend = frontend.lowerBound..<nameEnd
        guard cursor.skip(32), text[frontend].last != 58 else { return }
        server = cursor.word()
        guard cursor.skip(32) else { return }
        var ahead = cursor
        if let hop = HAProxyText.endpoint(&ahead), ahead.skip(32) {
            self.hop = hop
            cursor = ahead
        }
        while !cursor.isAtEnd {
            let word = cursor.word()
            if word.count == 2 || word.count == 4,
                text[word].allSatisfy({ $0 == 45 || $0.isWordPart && $0.digit == nil })
            {
                state = word.prefix(2)
                break
            }
            guard cursor.skip(32) else { break }
        }
    }

    /// Adds a record of the text.
    @inline(__always)
    func append(
        to rows: inout RowBuffer, _ text: UnsafeBufferPointer<UInt8>, pid: UnsafeBufferPointer<UInt8>?, offset: Int64,
        time: LogTime
    ) {
        func part(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: text[range]) }
        // What stands in a column stands in the message, too.
        let length = 2 * text.count + (pid?.count ?? 0) + 2 * HAProxyText.local.count
        rows.append(offset: offset, time: time, dataset: .haproxy, form: .columns, length: length) { row in
            if let pid { row.put(.processID, pid) }
            if let client, let address = HAProxyText.address(part(client)) { row.put(.connectionFrom, address) }
            if let state { row.put(.commandTag, part(state)) }
            row.put(.message, text)
            if let frontend { row.put(.context, part(frontend)) }
            if let hop, let address = HAProxyText.address(part(hop)) { row.put(.location, address) }
            if let server { row.put(.applicationName, part(server)) }
        }
    }

    /// An address as it is shown; nil for none.
    private static func address(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8>? {
        if text.count == 3, text.has("-:-") { return nil }
        return text.has("unix:") ? local : text
    }

    private static var local: UnsafeBufferPointer<UInt8> {
        let text: StaticString = "[local]"
        return UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    /// True when the text begins as HAProxy's lines about connections do.
    static func isConnection(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var dates = HAProxyDates()
        return HAProxyText(text, &dates).time != nil
    }

    /// True for what HAProxy says of itself and its servers.
    static func isNotice(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        for start in [
            StaticString("Server "), "Backup Server ", "backend ", "Backend ", "Proxy ", "Connect from ",
            "Health check for ", "[NOTICE] ", "[WARNING] ", "[ALERT] ", "[EMERG] ",
        ] where text.has(start) {
            return true
        }
        return false
    }

    /// True for such lines as no other program writes.
    static func isOwnNotice(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard isNotice(text) else { return false }
        for words in [
            StaticString(" is DOWN, reason: "), " is UP, reason: ", " has no server available!",
            " : haproxy version is ",
        ] where text.find(words) != nil {
            return true
        }
        return false
    }

    /// `Connect from 192.0.2.7:58400 to 192.0.2.1:5433 (pg/TCP)`: what is logged without `option tcplog`.
    private mutating func readConnect(_ text: UnsafeBufferPointer<UInt8>) {
        var cursor = LineCursor(text)
        guard cursor.skip("Connect from "), let client = HAProxyText.endpoint(&cursor), cursor.skip(" to ") else {
            return
        }
        self.client = client
        guard let open = text.findLast(" ("), let slash = text.findLast("/"), slash > open else { return }
        frontend = (open + 2)..<slash
    }

    /// `192.0.2.7:35988`, `::1:33930`, `unix:1`, and `-:-` for no connection.
    private static func endpoint(_ cursor: inout LineCursor) -> Range<Int>? {
        let start = cursor.at
        if let base = cursor.bytes.baseAddress, cursor.bytes.count - start >= Int(CSCAN_LINE_REACH) {
            let length = Int(cscan_address(base + start))
            if length > 0 {
                cursor.at += length
                return start..<cursor.at
            }
        }
        if cursor.skip("-:-") { return start..<cursor.at }
        if cursor.skip("unix:") { return cursor.number(digits: 10) == nil ? nil : start..<cursor.at }
        let range = cursor.run { $0.isHexadecimal || $0 == 58 || $0 == 46 }
        let text = UnsafeBufferPointer(rebasing: cursor.bytes[range])
        guard let colon = text.findLast(":"), colon >= 2, colon + 1 < text.count, text.count - colon <= 6,
            text[(colon + 1)...].allSatisfy({ $0.digit != nil }),
            text[0..<colon].contains(where: { $0 == 58 || $0 == 46 })
        else {
            cursor.at = start
            return nil
        }
        return range
    }
}

extension LineCursor {
    /// Steps to the next blank.
    mutating func word() -> Range<Int> { run { $0 != 32 } }
}
