extension LogFormat {
    /// True when a file with that start is one of pgauditlogtofile: its first line is a row of any of its forms.
    static func isPGAuditFile(_ head: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let line = firstLine(head) else { return false }
        switch line.first {
        case 123: return line.starts(with: "{\"log.source\":\"pgauditlogtofile\"".utf8)
        case 34: return PGAuditStart.isEscapedRow(line)
        default:
            // A name may go on in the next line.
            let start = line.startOffset(in: head)
            return PGAuditStart.isRawRow(UnsafeBufferPointer(rebasing: head[start...]))
        }
    }
}
