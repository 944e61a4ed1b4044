/// The formats that can be read.
public enum LogFormat: String, CaseIterable, Sendable {
    /// PostgreSQL's csvlog, 9.6 to 18.
    case csvlog

    /// Bytes of a file's start that decide.
    public static let sniffLength = 64 << 10

    /// What a file is by its first bytes: nil when no record of a known format stands there.
    public static func detect(_ head: [UInt8]) -> LogFormat? {
        head.withUnsafeBufferPointer { bytes in
            var at = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
            while at + 25 <= bytes.count {
                if SoundRecord.isTimeStart(bytes, at) {
                    switch SoundRecord.read(bytes, from: at) {
                    case .sound: return .csvlog
                    // A first record longer than what was looked at.
                    case .incomplete where at < 4: return .csvlog
                    default: break
                    }
                }
                // The file may start with the torn end of a record: any line may be the first sound one.
                at += 1
            }
            return nil
        }
    }

    /// Words for a file that is none of these.
    public static func describe(_ head: [UInt8]) -> String {
        if head.contains(0) { return "a binary file" }
        if head.first == 123 { return "JSON" }
        return "no csvlog"
    }
}
