extension String {
    /// The text as the store gives it back: SQLite ends it in front of a zero byte (sqlite3_bind_text).
    var asStored: String {
        let hasEnd = utf8.withContiguousStorageIfAvailable { $0.contains(0) } ?? utf8.contains(0)
        return hasEnd ? String(unicodeScalars.prefix { $0 != "\0" }) : self
    }
}
