import VigilModel

/// An alert that Alertmanager is told of: those of ours that have the same labels are one of its own.
///
/// Labels are few and never text that an attacker chooses: Alertmanager takes the whole set of them for the alert's
/// identity (Alertmanager, "Alert fields"). What an attacker wrote stands, escaped, in annotations.
struct AlertmanagerAlert {
    /// Name and value, by name.
    private(set) var labels: [String: String]
    private(set) var annotations: [String: String]
    private(set) var start: LogTime
    private(set) var end: LogTime
    private(set) var link: String?
    /// Numbers of our alerts in it, oldest first.
    private(set) var alerts: [Int64]

    /// What the configuration says about labels and links.
    struct Style {
        /// Labels that every alert carries.
        var labels: [String: String] = [:]
        /// Address that an alert leads to; `{ins}`, `{cls}`, `{rule}`, `{alert}` are filled in.
        var link: String?
        /// Addresses of instances (label `ip`).
        var addresses: [String: String] = [:]
        /// So many addresses attack at once before alerts of a rule no longer have one each.
        var sourceLimit = 20
    }

    /// Merges alerts that have not ended, and those that just have, by their labels. `alerts` are oldest first: of too
    /// many addresses those that came first keep an alert of their own.
    static func merge(_ alerts: [(delivery: Delivery, end: LogTime)], _ style: Style) -> [AlertmanagerAlert] {
        var order: [[String: String]] = []
        var merged: [[String: String]: AlertmanagerAlert] = [:]
        var sources: [String: Set<String>] = [:]
        for (delivery, end) in alerts where !delivery.row.isEmpty {
            var labels = self.labels(delivery.row, style)
            if let source = delivery.row.value("source.ip")?.text {
                let place = "\(labels["rule"] ?? "")\0\(labels["cls"] ?? "")\0\(labels["ins"] ?? "")"
                var known = sources[place, default: []]
                if known.count < style.sourceLimit { known.insert(source) }
                sources[place] = known
                // Written by the server, and an address: no text of an attacker's.
                if known.contains(source) { labels["source"] = source }
            }
            if merged[labels] == nil { order.append(labels) }
            merged[labels, default: AlertmanagerAlert(labels: labels)].add(delivery, until: end, style)
        }
        return order.compactMap { merged[$0] }
    }

    private init(labels: [String: String]) {
        self.labels = labels
        annotations = [:]
        start = .distantFuture
        end = .distantPast
        alerts = []
    }

    private mutating func add(_ delivery: Delivery, until end: LogTime, _ style: Style) {
        let row = delivery.row
        func shown(_ key: String, limit: Int = 300) -> String? {
            row.value(key).map { Shown.text($0.text, limit: limit) }
        }
        alerts.append(delivery.item)
        if case .time(let first)? = row.value("first_seen") { start = min(start, first) }
        self.end = max(self.end, end)
        let id = row.value("alert.id")?.text ?? ""
        let message = shown("message", limit: 1000) ?? labels["rule"] ?? ""
        // The newest speaks for all of them.
        annotations["summary"] = [labels["severity"], labels["alertname"], labels["ins"], labels["source"]].compactMap {
            $0
        }
        .joined(separator: " ")
        annotations["description"] =
            message + (alerts.count > 1 ? "\n(the last of \(alerts.count) alerts of this kind)" : "")
        annotations["evidence"] = "pgvigil alerts show \(id)"
        annotations["alert_id"] = id
        for (name, key) in [
            ("user", "user.name"), ("database", "db.namespace"), ("events", "event.count"), ("last_seen", "last_seen"),
            ("rule_name", "rule.name"), ("techniques", "threat.technique.id"), ("store_head", "store.head"),
        ] {
            annotations[name] = shown(key)
        }
        if labels["source"] == nil, let source = row.value("source.ip")?.text {
            var all = annotations["sources"]?.split(separator: " ").map(String.init) ?? []
            if !all.contains(source) { all.append(source) }
            annotations["sources"] = all.suffix(100).joined(separator: " ")
        }
        link = style.link.map { AlertmanagerAlert.fill($0, labels, id) }
    }

    /// Pigsty's labels: `level` 0 CRIT pages, 1 WARN, 2 INFO.
    private static func labels(_ row: ShownRow, _ style: Style) -> [String: String] {
        let rule = row.value("rule.id")?.text ?? ""
        var labels = style.labels
        labels["alertname"] =
            "Pg" + rule.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        labels["rule"] = rule
        labels["job"] = "pgvigil"
        labels["category"] = labels["category"] ?? "pgsql"
        let severity = row.value("event.severity")?.text ?? ""
        (labels["level"], labels["severity"]) = level(severity)
        if let cluster = row.value("service.name")?.text { labels["cls"] = cluster }
        if let instance = row.value("service.node.name")?.text {
            labels["ins"] = instance
            labels["ip"] = labels["ip"] ?? style.addresses[instance]
        }
        return labels
    }

    static func level(_ severity: String) -> (level: String, word: String) {
        switch severity {
        case "critical": ("0", "CRIT")
        case "high", "medium": ("1", "WARN")
        default: ("2", "INFO")
        }
    }

    private static func fill(_ link: String, _ labels: [String: String], _ id: String) -> String {
        var result = link
        for (name, value) in [
            ("ins", labels["ins"] ?? ""), ("cls", labels["cls"] ?? ""), ("rule", labels["rule"] ?? ""), ("alert", id),
        ] {
            result = result.replacing("{\(name)}", with: FormText.escaped(value))
        }
        return result
    }

    /// Something of our own, not of a rule's.
    init(name: String, severity: String, labels: [String: String], summary: String, start: LogTime, end: LogTime) {
        self.init(labels: labels)
        self.labels["alertname"] = name
        self.labels["job"] = "pgvigil"
        self.labels["category"] = labels["category"] ?? "pgsql"
        (self.labels["level"], self.labels["severity"]) = AlertmanagerAlert.level(severity)
        annotations["summary"] = summary
        self.start = start
        self.end = end
    }

    /// As Alertmanager takes it (its OpenAPI, `postableAlert`).
    var json: String {
        func object(_ values: [String: String]) -> String {
            // Alertmanager drops a label without a value.
            "{"
                + values.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
                .map { "\(JSONString.quoted($0.key)):\(JSONString.quoted($0.value))" }.joined(separator: ",") + "}"
        }
        let link = link.map { ",\"generatorURL\":\(JSONString.quoted($0))" } ?? ""
        return "{\"labels\":\(object(labels)),\"annotations\":\(object(annotations)),"
            + "\"startsAt\":\"\(min(start, end))\",\"endsAt\":\"\(end)\"\(link)}"
    }
}
