import VigilModel

/// Takes the header off each line of syslog and hands the text to the program that it names. Lines of other programs are
/// text.
struct SyslogAssembler: LineAssembler {
    private var clock: SyslogClock
    private var programs: [any SyslogProgram]
    private var scratch: [UInt8] = []
    /// The program of the last line: a raw line feed in its text begins a line without a header.
    private var last: (program: Int, time: LogTime, key: UInt64)?

    init(_ facts: ReadingFacts) {
        let head = SyslogHead(facts)
        clock = head.clock
        programs = [
            PostgresSyslog(facts, head), PgBouncerSyslog(facts), HAProxySyslog(facts), PatroniSyslog(facts),
        ]
    }

    var held: Int64? { programs.compactMap(\.held).min() }

    var unknownZones: Set<String> {
        programs.reduce(into: clock.isGuessing ? ["local time"] : []) { $0.formUnion($1.unknownZones) }
    }

    mutating func take(_ line: LogLine, into rows: inout RowBuffer) {
        guard let envelope = SyslogEnvelope(line.bytes) else {
            guard line.bytes.first == 9, let last else { return rows.pass(line) }
            let none = UnsafeBufferPointer(rebasing: line.bytes.prefix(0))
            programs[last.program].take(
                SyslogLine(time: last.time, key: last.key, process: none, text: line.bytes, line: line), into: &rows)
            return
        }
        // Every line moves the year on.
        let time = clock.time(envelope.stamp)
        let name = UnsafeBufferPointer(rebasing: line.bytes[envelope.program])
        guard let number = programs.firstIndex(where: { $0.isNamed(name) }) else {
            last = nil
            return rows.pass(line)
        }
        var digest = Digest64()
        for part in [envelope.host, envelope.program, envelope.process] {
            digest.combine(UnsafeBufferPointer(rebasing: line.bytes[part]))
            digest.separate()
        }
        last = (number, time, digest.value)
        SyslogText.undo(UnsafeBufferPointer(rebasing: line.bytes[envelope.text...]), into: &scratch)
        scratch.withUnsafeBufferPointer { text in
            programs[number].take(
                SyslogLine(
                    time: time, key: digest.value,
                    process: UnsafeBufferPointer(rebasing: line.bytes[envelope.process]), text: text, line: line),
                into: &rows)
        }
    }

    mutating func finish(into rows: inout RowBuffer) {
        for index in programs.indices { programs[index].finish(into: &rows) }
    }
}
