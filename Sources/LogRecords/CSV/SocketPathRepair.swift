/// Mends the one row that a sound server writes wrongly: a client that bound its own unix socket path puts raw bytes,
/// quotes and commas and line feeds included, into the unescaped column 5 (`"[local]:PATH"`, at most 31 bytes of
/// path). Its failed login must not get lost, and must not eat the rows behind it.
enum SocketPathRepair {
    /// Longest part of the row that the client can have written.
    private static let reach = 64

    /// Longest row that is mended.
    static let longestRow = 1 << 16

    /// True when column 5 of the row is such a path, as far as bytes go.
    static func applies(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Bool {
        guard let address = addressColumn(bytes, from: start) else { return false }
        return bytes[address.start...].starts(with: Array("\"[local]:".utf8))
    }

    /// The row with column 5 as `"[local]"`, and the offset behind the row; nil when that is not what is wrong.
    static func mend(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> (row: [UInt8], end: Int)? {
        guard let address = addressColumn(bytes, from: start) else { return nil }
        let opening = Array("\"[local]:".utf8)
        guard address.start + opening.count < bytes.count,
            opening.indices.allSatisfy({ bytes[address.start + $0] == opening[$0] })
        else { return nil }
        // The client's bytes come first, so the last place that shows the server's own session id is the true one.
        let last = min(address.start + reach, bytes.count - 2)
        guard last > address.start else { return nil }
        for at in stride(from: last, to: address.start, by: -1) where bytes[at] == 34 && bytes[at + 1] == 44 {
            let rest = UnsafeBufferPointer(rebasing: bytes[(at + 2)...])
            guard let dot = rest.prefix(20).firstIndex(of: 46) else { continue }
            let pid = rest[(dot + 1)...].prefix { $0 != 44 }
            guard pid.count <= 8, Int(String(decoding: pid, as: UTF8.self), radix: 16) == address.pid else { continue }
            let head = Array(bytes[start..<address.start]) + Array("\"[local]\"".utf8)
            guard let end = soundEnd(head, bytes, from: at + 1) else { continue }
            return (head + bytes[at + 1..<end], end)
        }
        return nil
    }

    /// Where column 5 starts, and the process id of column 4.
    private static func addressColumn(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> (start: Int, pid: Int)? {
        var at = start
        var pid = 0
        for column in 0..<4 {
            let begin = at
            var quoted = false
            while at < bytes.count, quoted || bytes[at] != 44 {
                if bytes[at] == 34 { quoted.toggle() }
                if bytes[at] == 10, !quoted { return nil }
                at += 1
            }
            guard at < bytes.count, at - start < 4096 else { return nil }
            if column == 3 { pid = Int(String(decoding: bytes[begin..<at], as: UTF8.self)) ?? -1 }
            at += 1
        }
        return pid > 0 ? (at, pid) : nil
    }

    /// The offset behind the row whose columns before 6 are `head` and whose rest starts at `from`.
    private static func soundEnd(_ head: [UInt8], _ bytes: UnsafeBufferPointer<UInt8>, from: Int) -> Int? {
        let candidate = head + bytes[from..<min(from + longestRow, bytes.count)]
        let outcome = candidate.withUnsafeBufferPointer { SoundRecord.read($0, from: 0) }
        guard case .sound(let end) = outcome else { return nil }
        return from + end - head.count
    }
}
