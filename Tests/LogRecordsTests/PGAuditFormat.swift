/// Writes records as the versions of pgauditlogtofile do (`logtofile.c`, `logtofile_csv.c`, `logtofile_json.c`).
enum PGAuditFormat: String, CaseIterable {
    case csv10, csv12, csv15, csv170, csv171, csv173, csv177, csv180, csv184, json170, json173, json184

    /// Nothing is escaped in it but pgaudit's own text.
    var isRaw: Bool { [.csv12, .csv15, .csv170].contains(self) }

    /// The row's time is the start of its session.
    var showsSessionStart: Bool { [.csv170, .csv171, .csv173].contains(self) }

    /// The row of a record; `audit` is pgaudit's text without `AUDIT: `.
    func row(_ record: ServerRecord, audit: [UInt8]? = nil) -> [UInt8] {
        switch self {
        case .csv10: PGAuditFormat.quoted(record, audit)
        case .csv12, .csv15, .csv170: raw(record, audit)
        case .csv171, .csv173, .csv177, .csv180, .csv184: escaped(record, audit)
        case .json170, .json173, .json184: json(record, audit)
        }
    }

    private static func quoted(_ record: ServerRecord, _ audit: [UInt8]?) -> [UInt8] {
        var parts: [[UInt8]] = []
        func quote(_ text: [UInt8]?) {
            guard let text, !text.isEmpty || text == record.message else { return parts.append([]) }
            parts.append([34] + text.flatMap { $0 == 34 ? [34, 34] : [$0] } + [34])
        }
        parts.append(Array(record.time.utf8))
        quote(record.user)
        quote(record.database)
        parts.append(Array("\(record.process)".utf8))
        quote(record.host.map { $0 + (record.port.map { [58] + $0 } ?? []) })
        parts.append(Array(record.sessionID.utf8))
        parts.append(Array("\(record.line)".utf8))
        quote(record.tag)
        parts.append(Array(record.sessionStart.utf8))
        parts.append(Array((record.virtualTransaction ?? "").utf8))
        parts.append(Array("\(record.transaction)".utf8))
        parts.append(Array(record.state.utf8))
        quote(audit.map { Array("AUDIT: ".utf8) + $0 } ?? record.message)
        for text in [record.detail, record.hint, nil, nil, record.context, record.query, nil, nil] { quote(text) }
        quote(record.application)
        return Array(parts.joined(separator: [44])) + [10]
    }

    private func raw(_ record: ServerRecord, _ audit: [UInt8]?) -> [UInt8] {
        var parts: [[UInt8]] = [Array((self == .csv170 ? record.sessionStart : record.time).utf8)]
        parts.append(record.user ?? [])
        parts.append(record.database ?? [])
        parts.append(Array("\(record.process)".utf8))
        parts.append(record.host.map { $0 + (record.port.map { [58] + $0 } ?? []) } ?? [])
        parts.append(Array(record.sessionID.utf8))
        if self != .csv170 { parts.append(Array("\(record.line)".utf8)) }
        parts.append(record.tag ?? [])
        if self != .csv170 { parts.append(Array(record.sessionStart.utf8)) }
        parts.append(Array((record.virtualTransaction ?? "").utf8))
        parts.append(Array("\(record.transaction)".utf8))
        parts.append(Array(record.state.utf8))
        let prefix = self == .csv12 ? Array("AUDIT: ".utf8) : []
        parts.append(audit.map { prefix + $0 } ?? record.message)
        for text in [record.detail, record.hint, nil, nil, record.context, record.query, nil, nil] {
            parts.append(text ?? [])
        }
        parts.append(record.application)
        return Array(parts.joined(separator: [44])) + [10]
    }

    /// 1.8 prints nine digits.
    private func stamp(_ record: ServerRecord) -> [UInt8] {
        if showsSessionStart { return Array(record.sessionStart.utf8) }
        guard self == .csv180 || self == .csv184 || self == .json184 else { return Array(record.time.utf8) }
        let text = Array(record.time.utf8)
        return text[..<23] + Array("123456".utf8) + text[23...]
    }

    /// pgaudit's text as the extension takes it apart: at every comma.
    private static func split(_ audit: [UInt8], into count: Int) -> [[UInt8]] {
        audit.split(separator: 44, maxSplits: count - 1, omittingEmptySubsequences: false).map(Array.init)
    }

    private func escaped(_ record: ServerRecord, _ audit: [UInt8]?) -> [UInt8] {
        var parts: [[UInt8]] = []
        func add(_ text: [UInt8]?) { parts.append(text.map(ServerRecord.escaped) ?? []) }
        add(stamp(record))
        add(record.user)
        add(record.database)
        add(Array("\(record.process)".utf8))
        let isHostTwice = self == .csv171 || self == .csv173
        let from = record.host.map { host in host + (record.port.map { [58] + (isHostTwice ? host : $0) } ?? []) }
        // Not escaped in 1.8.
        if self == .csv184, let from { parts.append([34] + from + [34]) } else { add(from) }
        add(Array(record.sessionID.utf8))
        add(record.tag)
        add(record.virtualTransaction.map { Array($0.utf8) })
        add(Array("\(record.transaction)".utf8))
        add(Array(record.state.utf8))
        if let audit {
            let columns = self == .csv171 ? 7 : 8
            for (index, part) in PGAuditFormat.split(audit, into: columns).enumerated() {
                add(self == .csv171 && index == 6 ? Array(part.dropFirst()) : part)
            }
        } else {
            add(record.message)
        }
        for text in [record.detail, record.hint, nil, nil, record.context, record.query, nil, nil] { add(text) }
        add(record.application)
        switch self {
        case .csv180: parts += [[], [], [], [], []]
        case .csv184: parts += [[], [], [], [], [], [], []]
        default: break
        }
        return Array(parts.joined(separator: [44])) + [10]
    }

    private func json(_ record: ServerRecord, _ audit: [UInt8]?) -> [UInt8] {
        var line = Array(#"{"log.source":"pgauditlogtofile","severity":"audit""#.utf8)
        func add(_ name: String, _ text: [UInt8]?) {
            if let text { line += Array(",\"\(name)\":".utf8) + ServerRecord.escaped(text) }
        }
        add("timestamp", stamp(record))
        add("db.user", record.user)
        add("db.name", record.database)
        add("custom.process_id", Array("\(record.process)".utf8))
        add("net.peer.name", record.host)
        add("net.peer.port", record.port)
        add("custom.session_id", Array(record.sessionID.utf8))
        add("custom.command_tag", record.tag)
        add("custom.virtual_transaction_id", record.virtualTransaction.map { Array($0.utf8) })
        add(
            self == .json184 ? "custom.transaction_id" : "custom.virtual_transaction_id",
            Array("\(record.transaction)".utf8))
        add("custom.state_code", Array(record.state.utf8))
        if let audit {
            let isOld = self == .json170
            let names =
                ["audit_type", "statement_id", "substatement_id", "class", "command"]
                + (isOld ? ["object_name"] : ["object_type", "object_name"])
            let parts = PGAuditFormat.split(audit, into: names.count + 1)
            for (name, part) in zip(names, parts) { add("custom.\(name)", part) }
            add("content", isOld ? Array(parts[names.count].dropFirst()) : parts[names.count])
        } else {
            add("content", record.message)
        }
        add("custom.detail_log", record.detail)
        add("custom.err_hint", record.hint)
        add("custom.context", record.context)
        if self != .json184 { add("custom.debug_query", record.query) }
        add("custom.application_name", record.application)
        return line + [125, 10]
    }
}

/// pgaudit's text: a field is quoted when it holds a comma, a quote or a line feed (`append_valid_csv` of pgaudit.c).
func pgaudit(
    kind: String = "SESSION", number: Int = 1, class: String = "DDL", command: String, type: String = "",
    object: String = "", statement: [UInt8], parameter: [UInt8] = Array("<not logged>".utf8), rows: Int? = nil
) -> [UInt8] {
    func field(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(where: { [44, 34, 10, 13].contains($0) }) else { return text }
        return [34] + text.flatMap { $0 == 34 ? [34, 34] : [$0] } + [34]
    }
    let parts: [[UInt8]] = [
        Array("\(kind),\(number),1,\(`class`),\(command)".utf8), Array(type.utf8), field(Array(object.utf8)),
        field(statement), field(parameter),
    ]
    return Array(parts.joined(separator: [44])) + (rows.map { Array(",\($0)".utf8) } ?? [])
}
