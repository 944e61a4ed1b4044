/// Rules in groups, by how often they are looked at.
enum VmalertGroups {
    static func lines(_ rules: [VmalertRule]) -> [String] {
        guard !rules.isEmpty else { return ["groups: []"] }
        var lines = ["groups:"]
        for interval in Set(rules.map(\.interval)).sorted() {
            lines += [
                "  - name: pgvigil-\(interval / 60)m",
                "    type: vlogs",
                "    interval: \(interval / 60)m",
                // Rows are on their way for a while.
                "    eval_delay: 30s",
                "    rules:",
            ]
            lines += rules.filter { $0.interval == interval }.flatMap(\.lines)
        }
        return lines
    }
}
