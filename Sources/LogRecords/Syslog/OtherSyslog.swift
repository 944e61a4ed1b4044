import VigilModel

/// PgBouncer in syslog: its texts bare (`syslog = 1`), or whole lines as systemd takes them from standard error.
struct PgBouncerSyslog: SyslogProgram {
    static let name = Array("pgbouncer".utf8)

    /// Several poolers may share a file, each with lines of its own that wait.
    private var poolers: [(key: UInt64, assembler: PgBouncerAssembler)] = []
    private let facts: ReadingFacts
    private static let most = 16

    init(_ facts: ReadingFacts) { self.facts = facts }

    var held: Int64? { poolers.compactMap(\.assembler.held).min() }
    var unknownZones: Set<String> { poolers.reduce(into: []) { $0.formUnion($1.assembler.unknownZones) } }

    func isNamed(_ name: UnsafeBufferPointer<UInt8>) -> Bool { name.elementsEqual(PgBouncerSyslog.name) }

    mutating func take(_ line: SyslogLine, into rows: inout RowBuffer) {
        if poolers.firstIndex(where: { $0.key == line.key }) == nil {
            if poolers.count == PgBouncerSyslog.most {
                poolers[0].assembler.finish(into: &rows)
                poolers.removeFirst()
            }
            poolers.append((line.key, PgBouncerAssembler(facts)))
        }
        guard let index = poolers.firstIndex(where: { $0.key == line.key }) else { return }
        let text = LogLine(bytes: line.text, offset: line.line.offset, end: line.line.end, isTorn: line.line.isTorn)
        poolers[index].assembler.take(text, sentAt: line.time, by: line.process, into: &rows)
    }

    mutating func finish(into rows: inout RowBuffer) {
        for index in poolers.indices { poolers[index].assembler.finish(into: &rows) }
    }
}

/// HAProxy among other programs. Its reader knows the header.
struct HAProxySyslog: SyslogProgram {
    private var assembler: HAProxyAssembler

    init(_ facts: ReadingFacts) { assembler = HAProxyAssembler(facts) }

    var held: Int64? { assembler.held }
    var unknownZones: Set<String> { assembler.unknownZones }
    func isNamed(_ name: UnsafeBufferPointer<UInt8>) -> Bool { name.elementsEqual("haproxy".utf8) }
    mutating func take(_ line: SyslogLine, into rows: inout RowBuffer) { assembler.take(line.line, into: &rows) }
    mutating func finish(into rows: inout RowBuffer) { assembler.finish(into: &rows) }
}

/// Patroni's lines as systemd takes them from standard error, with their own time.
struct PatroniSyslog: SyslogProgram {
    static let name = Array("patroni".utf8)

    private var assembler: PatroniAssembler

    init(_ facts: ReadingFacts) { assembler = PatroniAssembler(facts) }

    var held: Int64? { assembler.held }
    var unknownZones: Set<String> { assembler.unknownZones }
    func isNamed(_ name: UnsafeBufferPointer<UInt8>) -> Bool { name.elementsEqual(PatroniSyslog.name) }

    mutating func take(_ line: SyslogLine, into rows: inout RowBuffer) {
        let text = LogLine(bytes: line.text, offset: line.line.offset, end: line.line.end, isTorn: line.line.isTorn)
        assembler.take(text, into: &rows)
    }

    mutating func finish(into rows: inout RowBuffer) { assembler.finish(into: &rows) }
}
