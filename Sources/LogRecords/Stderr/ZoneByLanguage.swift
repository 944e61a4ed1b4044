import VigilModel

/// What the server's language says of a zone abbreviation that nothing else explains: CST is China's time in a log whose
/// severities are Chinese, and that of the American Midwest elsewhere.
enum ZoneByLanguage {
    private static let labels: [[UInt8]] = ["日志", "日誌"].map { Array($0.utf8) }
    private static let offset: Int64 = 480 * 60_000

    /// Looks at a file's first lines. Most LOG lines must say so: a client can put such a word into some, by its name.
    static func learn(
        _ lines: [UnsafeBufferPointer<UInt8>], _ prefix: LogLinePrefix, into zones: inout TimeZoneTable
    ) {
        var reading = LineReading()
        var (all, chinese) = (0, 0)
        for line in lines {
            guard prefix.readHead(line, &reading),
                prefix.readLabel(line, from: reading.headEnd, labels: .all, &reading), reading.label == .log
            else { continue }
            all += 1
            guard let colon = line[..<reading.textStart].lastIndex(of: 58) else { continue }
            if labels.contains(where: { line[..<colon].suffix($0.count).elementsEqual($0) }) { chinese += 1 }
        }
        if chinese * 2 > all { _ = zones.offset(of: "CST") { offset } }
    }
}
