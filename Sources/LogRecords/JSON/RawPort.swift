/// The one value that a sound server writes wrongly into jsonlog: a client that bound its own unix socket path puts up
/// to 31 raw bytes, quotes, commas and line feeds included, where the port's number belongs. What follows is the
/// server's again: `,"session_id":"HEX.HEX","line_num":`.
struct RawPort {
    /// Places of the names in the table of keys.
    let host: Int
    let port: Int
    let process: Int
    let session: Int

    enum Outcome { case found, open, none }

    /// Longest part of the line that the client can have written (NI_MAXSERV of the C library is 32).
    static let reach = 64

    private static let opening = Array(",\"session_id\":\"".utf8)
    private static let closing = Array("\",\"line_num\":".utf8)

    /// Takes the raw value that starts at `at`. The client's bytes come first, so the last place that shows the
    /// server's own session id is the true one.
    func read(
        _ line: UnsafeBufferPointer<UInt8>, at: inout Int, process: JSONValue?, _ value: inout JSONValue
    ) -> Outcome {
        guard let process, let pid = Int(String(decoding: line[process.range], as: UTF8.self)) else { return .none }
        for place in stride(from: min(at + RawPort.reach, line.count - 1), through: at, by: -1) where line[place] == 44
        {
            guard RawPort.isSession(line[place...], of: pid) else { continue }
            value = JSONValue(start: at, end: place, kind: .raw)
            at = place
            return .found
        }
        return line.count - at <= RawPort.reach ? .open : .none
    }

    private static func isSession(_ bytes: Slice<UnsafeBufferPointer<UInt8>>, of pid: Int) -> Bool {
        guard bytes.starts(with: opening) else { return false }
        let id = bytes.dropFirst(opening.count).prefix { $0 != 34 }
        guard let dot = id.firstIndex(of: 46), id.count <= 33, id[..<dot].allSatisfy(isHex),
            Int(String(decoding: id[(dot + 1)...], as: UTF8.self), radix: 16) == pid
        else { return false }
        return bytes[id.endIndex...].starts(with: closing)
    }

    private static func isHex(_ byte: UInt8) -> Bool { (byte >= 48 && byte <= 57) || (byte >= 97 && byte <= 102) }

    /// True when csvlog can hold the path between its quotes: there it is as raw as here, and a row whose quotes come
    /// in pairs is sound.
    static func isSoundInCSV(_ path: UnsafeBufferPointer<UInt8>) -> Bool {
        var at = 0
        while at < path.count {
            if path[at] == 34 {
                guard at + 1 < path.count, path[at + 1] == 34 else { return false }
                at += 1
            }
            at += 1
        }
        return true
    }
}
