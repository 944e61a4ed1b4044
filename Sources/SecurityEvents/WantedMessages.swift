import Patterns
import VigilModel

extension EventCatalogue {
    /// How messages of another log than the server's start that a pattern may fit, or that tell of connections, when they
    /// have that severity. Of any other message nothing matters to an `EventReader` but its time.
    public func messageHeads(of dataset: LogDataset, severity: String) -> MessageHeads {
        guard dataset == .pgbouncer || dataset == .patroni || dataset == .pgbackrest else { return .all }
        var heads = MessageHeads.none
        for pattern in patterns where pattern.condition.dataset == dataset {
            let severities = pattern.condition.severities.texts
            if !severities.isEmpty, !severities.contains(severity) { continue }
            guard let starts = TextIndex.messageStarts(of: pattern) else { return .all }
            for start in starts {
                if start.count < 4 { return .all }
                heads.insert(TextIndex.head(start).head)
            }
        }
        if dataset == .pgbouncer { for head in ProxyReader.heads { heads.insert(head) } }
        return heads
    }
}
