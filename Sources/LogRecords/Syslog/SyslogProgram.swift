import VigilModel

/// A line of syslog, valid only inside the call that hands it over.
struct SyslogLine {
    /// When, by the header.
    let time: LogTime
    /// Host, program and process as one number; two processes hardly ever share it.
    let key: UInt64
    /// The process id; empty when there is none.
    let process: UnsafeBufferPointer<UInt8>
    /// What the program wrote, `#011` and `#012` of rsyslog undone.
    let text: UnsafeBufferPointer<UInt8>
    /// The whole line.
    let line: LogLine
}

/// Reads what one program writes to syslog. `SyslogAssembler` hands each line to the program that it names.
protocol SyslogProgram {
    /// File offset of the oldest line that waits for others.
    var held: Int64? { get }
    /// Zone abbreviations that nothing explains.
    var unknownZones: Set<String> { get }
    /// True for the names (`postgres`) under which its lines come.
    func isNamed(_ name: UnsafeBufferPointer<UInt8>) -> Bool
    /// Takes the next line.
    mutating func take(_ line: SyslogLine, into rows: inout RowBuffer)
    /// No more lines will come.
    mutating func finish(into rows: inout RowBuffer)
}
