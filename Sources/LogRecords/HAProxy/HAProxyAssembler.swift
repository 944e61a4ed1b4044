import VigilModel

/// Reads HAProxy's log, one line a record: bare (`log stdout format raw`), or behind a header of syslog, which mostly ends
/// in `haproxy[PID]: `. The connection's own time counts; a line without one is given the time of its header or, where that
/// has no year, the source's time.
struct HAProxyAssembler: LineAssembler {
    private var times: PrintedTime
    private var draft = DraftRecord()

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
        guard header != nil || HAProxyText.isConnection(text) || HAProxyText.isNotice(text) else {
            if line.bytes.contains(0) { return rows.skip(line, reason: "no line of HAProxy") }
            return rows.pass(line)
        }
        draft.begin(offset: line.offset, time: .distantPast, dataset: .haproxy)
        if let header { draft.set(.processID, line.bytes[header.pid]) }
        if let found = HAProxyText.fill(&draft, text) {
            draft.time = found.isLocal ? times.utc(ofLocal: found.time) : found.time
        } else if header != nil {
            var cursor = LineCursor(line.bytes)
            if cursor.skip(60) { _ = cursor.run { $0 != 62 } }
            _ = cursor.skip(">1 ") || cursor.skip(62)
            if let time = times.read(&cursor, takesNames: false) { draft.time = time }
        }
        rows.append(draft)
    }

    mutating func finish(into rows: inout RowBuffer) {}

    /// Where pid and text stand behind a header of syslog, which is the system's: no client writes into it.
    private static func header(_ line: UnsafeBufferPointer<UInt8>) -> (pid: Range<Int>, text: Int)? {
        let start = UnsafeBufferPointer(rebasing: line.prefix(160))
        guard let name = start.find(" haproxy["), name > 8 else { return shortHeader(line) }
        var cursor = LineCursor(line, at: name + 9)
        let pid = cursor.run { $0.digit != nil }
        guard !pid.isEmpty, cursor.skip("]: ") else { return nil }
        return (pid, cursor.at)
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
