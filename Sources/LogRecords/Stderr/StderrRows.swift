import VigilModel

/// Lays out what lines say in the columns of csvlog.
struct StderrRows {
    typealias Bytes = UnsafeBufferPointer<UInt8>

    let prefix: LogLinePrefix
    let known = KnownMessages.all
    var clock: PrefixClock
    /// Time and process of the line by syslog's header, for a prefix without them.
    var outer: (time: LogTime?, process: [UInt8]) = (nil, [])
    /// The prefix proves by an empty user that a process has no client.
    private let clientField: PrefixField?

    init(prefix: LogLinePrefix, zones: TimeZoneTable) {
        self.prefix = prefix
        clock = PrefixClock(zones: zones)
        clientField = [PrefixField.user, .database, .remote, .host].first(where: prefix.has)
    }

    /// The same for another prefix.
    func with(prefix: LogLinePrefix) -> StderrRows {
        var rows = StderrRows(prefix: prefix, zones: TimeZoneTable())
        rows.clock = clock
        return rows
    }

    /// When a line was written; nil when its prefix has no time or none that exists.
    mutating func time(_ bytes: Bytes, _ fields: PrefixFields) -> LogTime? {
        if let time = outer.time { return time }
        if prefix.has(.epoch) { return PrefixClock.epoch(bytes, fields[.epoch]) }
        let range = prefix.has(.milliseconds) ? fields[.milliseconds] : fields[.time]
        guard !range.isEmpty else { return nil }
        return clock.read(bytes, range) { text in StderrRows.provenOffset(bytes, fields, text) }
    }

    /// What session start and session id, which holds it in UTC, prove of the zone that both print.
    static func provenOffset(_ bytes: Bytes, _ fields: PrefixFields, _ time: Bytes) -> Int64? {
        let start = Bytes(rebasing: bytes[fields[.start]])
        let id = Bytes(rebasing: bytes[fields[.session]])
        let zone = time[(time[19] == 46 ? 24 : 20)...]
        guard start.count > 20, start[20...].elementsEqual(zone), let local = TimestampReader.second(start),
            let epoch = TimestampReader.epoch(ofSession: id)
        else { return nil }
        let offset = local - epoch
        return abs(offset) <= 16 * 3_600_000 && offset % 60_000 == 0 ? offset : nil
    }

    /// Begins a record with what the line's prefix says and the start of its message.
    func begin(
        _ draft: inout some RecordColumns, _ bytes: Bytes, _ reading: LineReading, offset: Int64,
        time: LogTime
    ) {
        draft.begin(offset: offset, time: time, dataset: .postgresql, form: .prefixed)
        reading.fields.forEach(of: prefix.fields) { field, range in
            let content = bytes.part(range)
            switch field {
            case .application: draft.set(.applicationName, isUnknown(content) ? content.upTo(0) : content)
            case .user: if !isUnknown(content) { draft.set(.userName, content) }
            case .database: if !isUnknown(content) { draft.set(.databaseName, content) }
            case .remote: setRemote(&draft, content)
            case .host: if !draft.has(.connectionFrom) { setHost(&draft, content) }
            case .backendType: draft.set(.backendType, content)
            case .process: draft.set(.processID, content)
            case .leader: draft.set(.leaderPID, content)
            case .tag: draft.set(.commandTag, content)
            case .state: draft.set(.sqlState, content)
            case .session: setSession(&draft, content)
            // The number is one of the session's: without its id it says nothing.
            case .line: if prefix.has(.session) { draft.set(.sessionLine, content) }
            case .start: draft.set(.sessionStart, content)
            case .virtualTransaction: draft.set(.virtualTransaction, content)
            case .transaction: draft.set(.transaction, content)
            case .queryID: draft.set(.queryID, content)
            case .local, .time, .milliseconds, .epoch, .rest: break
            }
        }
        if !draft.has(.backendType), isBackground(reading) { draft.set(.backendType, "background process") }
        if !outer.process.isEmpty, !draft.has(.processID) { draft.set(.processID, copy: outer.process) }
        draft.set(.severity, reading.label.word)
        draft.set(.message, bytes.from(reading.textStart))
    }

    /// True when the prefix shows that the process has no client: a client's has at least `[unknown]`.
    func isBackground(_ reading: LineReading) -> Bool {
        if reading.stops { return true }
        guard let clientField else { return false }
        return reading.fields[clientField].isEmpty
    }

    private func isUnknown(_ content: Bytes) -> Bool {
        content[0] == 91
            && (content.count == 9 && content.has("[unknown]") || known.unknownNames.contains(where: content.isText))
    }

    /// `192.0.2.1(40000)` as csvlog's `192.0.2.1:40000`.
    private func setRemote(_ draft: inout some RecordColumns, _ content: Bytes) {
        let open = content.first(40, in: 0..<content.count)
        guard open < content.count, content[content.count - 1] == 41 else {
            return draft.set(.connectionFrom, content)
        }
        draft.set(.connectionFrom, content.upTo(open))
        guard content[0] != 91 else { return }
        draft.append(.connectionFrom, 58)
        draft.append(.connectionFrom, content.part((open + 1)..<(content.count - 1)))
    }

    /// An address without its port; one with colons in brackets, so that none is taken for a port's.
    func setHost(_ draft: inout some RecordColumns, _ content: Bytes) {
        guard content.contains(58) else { return draft.set(.connectionFrom, content) }
        draft.set(.connectionFrom, "[")
        draft.append(.connectionFrom, content)
        draft.append(.connectionFrom, 93)
    }

    /// The session id, and the process id that it ends with.
    private func setSession(_ draft: inout some RecordColumns, _ content: Bytes) {
        draft.set(.sessionID, content)
        guard !prefix.has(.process), let dot = content.firstIndex(of: 46),
            let pid = Int(String(decoding: content[(dot + 1)...], as: UTF8.self), radix: 16)
        else { return }
        draft.set(.processID, copy: String(pid).utf8)
    }

    /// Adds a part of a record: DETAIL, HINT, …
    func add(_ label: StderrLabel, _ text: Bytes, to draft: inout some RecordColumns) {
        guard let column = label.column else { return }
        draft.set(column, text)
    }
}
