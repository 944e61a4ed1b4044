import VigilModel

extension WatchMeter {
    /// Counts rows of a source that is no file.
    func note(
        rows count: StreamReader.Count, of source: String, kind: String, isUp: Bool, lastRecord: LogTime? = nil
    ) {
        note { state in
            var known = state.sources[source] ?? Source()
            known.kind = kind
            known.isUp = isUp
            known.records += Int64(count.read)
            known.duplicates += Int64(count.known)
            known.late += Int64(count.late)
            if let lastRecord { known.lastRecord = max(known.lastRecord ?? lastRecord, lastRecord) }
            state.sources[source] = known
        }
    }
}
