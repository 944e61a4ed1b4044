import Glibc
import VigilModel

/// Reads HAProxy's log, one line a record: bare (`log stdout format raw`), or behind a header of syslog, which mostly ends
/// in `haproxy[PID]: `. The connection's own time counts; a line without one is given the time of its header or, where that
/// has no year, the source's time.
struct HAProxyAssembler: LineAssembler {
    private var times: PrintedTime
    private var dates = HAProxyDates()

    init(_ about: ReadingFacts) { times = PrintedTime(about) }

    let held: Int64? = nil
    var unknownZones: Set<String> { times.unknownZones }

    /// True when the head has a line about a connection or of a proxy, and none before that is anything else.
    static func recognises(_ head: UnsafeBufferPointer<UInt8>) -> Bool {
        for line in HeadLines(head) where !line.isEmpty {
            if header(line) != nil { return true }
            if HAProxyText.isConnection(line) { return true }
            if HAProxyText.isOwnNotice(line) { return true }
            guard HAProxyText.isNotice(line) else { return false }
        }
        return false
    }

    mutating func take(_ line: LogLine, into rows: inout RowBuffer) {
        let header = HAProxyAssembler.header(line.bytes)
        let text = UnsafeBufferPointer(rebasing: line.bytes[(header?.text ?? 0)...])
        let found = HAProxyText(text, &dates)
        guard header != nil || found.time != nil || HAProxyText.isNotice(text) else {
            if line.bytes.contains(0) { return rows.skip(line, reason: "no line of HAProxy") }
            return rows.pass(line)
        }
        let pid = header.map { UnsafeBufferPointer(rebasing: line.bytes[$0.pid]) }
        found.append(
            to: &rows, text, pid: pid, offset: line.offset, time: time(found, header == nil ? nil : line.bytes))
    }

    /// When a line was: the connection's own time counts, else that of its header, if it has one.
    private mutating func time(_ found: HAProxyText, _ line: UnsafeBufferPointer<UInt8>?) -> LogTime {
        if let own = found.time { return own.isLocal ? times.utc(ofLocal: own.time) : own.time }
        guard let line else { return .distantPast }
        var cursor = LineCursor(line)
        if cursor.skip(60) { _ = cursor.run { $0 != 62 } }
        _ = cursor.skip(">1 ") || cursor.skip(62)
        return times.read(&cursor, takesNames: false) ?? .distantPast
    }

    mutating func finish(into rows: inout RowBuffer) {}

    /// Where pid and text stand behind a header of syslog, which is the system's: no client writes into it.
    private static func header(_ line: UnsafeBufferPointer<UInt8>) -> (pid: Range<Int>, text: Int)? {
        guard let name = program(line), name > 8 else { return shortHeader(line) }
        var cursor = LineCursor(line, at: name + 9)
        let pid = cursor.run { $0.digit != nil }
        guard !pid.isEmpty, cursor.skip("]: ") else { return nil }
        return (pid, cursor.at)
    }

    /// Where ` haproxy[` first stands, near the line's start.
    private static func program(_ line: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let base = line.baseAddress else { return nil }
        let end = min(line.count, 160)
        var next = 0
        while next < end, let found = memchr(base + next, 91, end - next) {
            next = UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) - base + 1
            if line.has(" haproxy[", at: next - 9) { return next - 9 }
        }
        return nil
    }

    /// The other forms of `log … format` (configuration manual, 3.1): `rfc5424`, and `short`, `priority`, `timed` and
    /// `iso`, which name no program. Behind these only a line that nobody else writes counts.
    private static func shortHeader(_ line: UnsafeBufferPointer<UInt8>) -> (pid: Range<Int>, text: Int)? {
        guard let first = line.first, first == 60 || first.digit != nil else { return nil }
        var cursor = LineCursor(line)
        if cursor.skip(60) {
            guard !cursor.run({ $0.digit != nil }).isEmpty, cursor.skip(62) else { return nil }
            if cursor.at + 1 < line.count, line[cursor.at] == 49, line[cursor.at + 1] == 32 {
                guard let envelope = SyslogEnvelope(line), line[envelope.program].elementsEqual("haproxy".utf8) else {
                    return nil
                }
                return (envelope.process, envelope.text)
            }
        }
        let mark = cursor.at
        let word = cursor.word()
        let isTime = word.count >= 19 && line[word.lowerBound + 4] == 45 && line[word.lowerBound + 10] == 84
        if !isTime || !cursor.skip(32) { cursor.at = mark }
        guard cursor.at > 0 else { return nil }
        let text = UnsafeBufferPointer(rebasing: line[cursor.at...])
        guard HAProxyText.isConnection(text) || HAProxyText.isOwnNotice(text) else { return nil }
        return (cursor.at..<cursor.at, cursor.at)
    }
}
