/// The formats that can be read.
public enum LogFormat: String, CaseIterable, Sendable {
    /// PostgreSQL's csvlog, 9.6 to 18.
    case csvlog

    /// Bytes of a file's start that decide.
    public static let sniffLength = 64 << 10

    /// What a file is by its first bytes: nil when it is no known format.
    ///
    /// A csvlog starts with a sound record. A sound row further on proves nothing by itself: in a stderr log quotes are
    /// not doubled, and a client can write a whole row there. So only a file that calls itself csv may start with
    /// something else (the torn end of a record).
    public static func detect(_ head: [UInt8], path: String) -> LogFormat? {
        head.withUnsafeBufferPointer { bytes in
            var at = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
            let last = path.hasSuffix(".csv") || path.hasSuffix(".csv.1") ? bytes.count : at + 1
            let first = at
            while at < last, at + 25 <= bytes.count {
                if SoundRecord.isTimeStart(bytes, at) {
                    switch SoundRecord.read(bytes, from: at, strict: at != first) {
                    case .sound: return .csvlog
                    // A first record longer than what was looked at.
                    case .incomplete where at == first: return .csvlog
                    default: break
                    }
                }
                at += 1
            }
            return nil
        }
    }

    /// Words for a file that is none of these.
    public static func describe(_ head: [UInt8]) -> String {
        let archives: [(String, [UInt8])] = [
            ("gzip (read it with: zcat FILE | pgvigil replay -)", [0x1F, 0x8B]),
            ("zstd (read it with: zstdcat FILE | pgvigil replay -)", [0x28, 0xB5, 0x2F, 0xFD]),
            ("xz (read it with: xzcat FILE | pgvigil replay -)", [0xFD, 0x37, 0x7A]),
            ("bzip2 (read it with: bzcat FILE | pgvigil replay -)", [0x42, 0x5A, 0x68]),
        ]
        for (name, magic) in archives where head.starts(with: magic) { return "an archive of \(name)" }
        if head.contains(0) { return "a binary file" }
        if head.first == 123 { return "JSON" }
        return "no csvlog"
    }
}
