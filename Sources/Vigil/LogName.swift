/// What a log file's name tells of the files it belongs with.
struct LogName: Hashable {
    /// Where it lies.
    let folder: Substring
    /// Its name without what tells the format and the packing: the same for `postgresql-Mon.csv`,
    /// `postgresql-Mon.log` and `postgresql-Mon.json.gz`, and for `postgresql.csv.1` and `postgresql.log.1.zst`.
    let stem: String
    /// Its stem with `#` for each digit, when that holds a date and a time of day (PostgreSQL's default is
    /// `postgresql-%Y-%m-%d_%H%M%S.log`): each form of the log is then cut by its own size, and begins its files at its
    /// own times. Nil for other names.
    let series: String?

    /// Takes a path.
    init(_ path: String) {
        let slash = path.lastIndex(of: "/")
        folder = slash.map { path[..<$0] } ?? ""
        var name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        for suffix in [".gz", ".zst", ".zstd", ".xz", ".bz2", ".lz4"] where name.hasSuffix(suffix) {
            name.removeLast(suffix.count)
            break
        }
        let found = [".csv", ".json", ".log"].compactMap { LogName.last($0, in: name) }
        if let mark = found.max(by: { $0.lowerBound < $1.lowerBound }) { name.removeSubrange(mark) }
        stem = name
        let digits = name.filter { $0.isASCII && $0.isNumber }.count
        series = digits < 10 ? nil : String(name.map { $0.isASCII && $0.isNumber ? "#" : $0 })
    }

    /// Where the extension stands last, at the end or before a rotation's number or date.
    private static func last(_ mark: String, in name: String) -> Range<String.Index>? {
        guard let found = name.ranges(of: mark).last else { return nil }
        return found.upperBound == name.endIndex || "-._".contains(name[found.upperBound]) ? found : nil
    }
}
