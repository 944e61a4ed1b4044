import Detections
import Patterns
import VigilModel

/// Whatever events come in whatever order: rules give the same alerts twice, none about an address that no event has, and
/// hold no more groups than they may.
///
/// An input is a run of events of five bytes: kind, address, user, database, and by how much time goes on.
enum RuleProperty {
    static let seeds: [[UInt8]] = [
        Array((0..<60).flatMap { [UInt8(1), 7, $0 % 3, 0, 2] }), Array((0..<60).flatMap { [$0, $0, $0, $0, $0] }),
        Array((0..<60).flatMap { [UInt8(1), $0, 3, 0, 30] }),
    ]

    private static let rules = Result { try Catalogue.embedded().rules }

    private static let kinds: [EventKind] = [
        ("authentication", "auth.success", nil), ("authentication", "auth.failure", "bad_password"),
        ("authentication", "auth.failure", "unknown_role"), ("authentication", "auth.refused", "connection_limit"),
        ("database", "ddl.drop", nil), ("iam", "priv.superuser", nil), ("database", "perm.denied", nil),
        ("database", "danger.copy_program", nil), ("database", "sqli", nil), ("network", "probe.protocol", nil),
        ("database", "forgery.attempt", nil), ("configuration", "tamper.log_setting", nil),
        ("host", "server.crash", nil), ("file", "exfil.copy_out", nil), ("network", "conn.replication", nil),
    ].map { category, action, reason in
        EventKind(
            dataset: "postgresql.log", category: category, action: action, outcome: .failure, reason: reason,
            severity: .medium, tags: [action])
    }

    static func problem(with input: [UInt8]) -> String? {
        guard let rules = try? rules.get() else { return nil }
        let events = events(of: input)
        let (one, two) = (run(rules, events), run(rules, events))
        if one.alerts != two.alerts { return "other alerts the second time" }
        if let strange = one.addresses.first(where: { ip in !events.contains { $0.ip?.description == ip } }) {
            return "an alert about \(strange), which no event has"
        }
        return nil
    }

    private static func events(of input: [UInt8]) -> [DetectionEvent] {
        var events: [DetectionEvent] = []
        var time = LogTime(milliseconds: 1_772_452_800_000)
        var rest = input[...]
        while rest.count >= 5, events.count < 400 {
            let bytes = Array(rest.prefix(5))
            rest = rest.dropFirst(5)
            // Up to eighteen hours on, or a little back.
            let step = Int64(bytes[4])
            time = time.adding(milliseconds: step > 250 ? -step * 100 : step * step * 1000)
            let address = bytes[1] == 0 ? nil : "203.0.\(bytes[1] >> 6).\(bytes[1])"
            events.append(
                DetectionEvent(
                    seq: Int64(events.count), time: time, kind: kinds[Int(bytes[0]) % kinds.count],
                    ip: address.flatMap { IPAddress($0) }, address: address ?? "[local]", user: "u\(bytes[2] % 40)",
                    database: "d\(bytes[3] % 20)"))
        }
        return events
    }

    private static func run(_ rules: [Rule], _ events: [DetectionEvent]) -> (alerts: [String], addresses: Set<String>) {
        var detector = Detector(rules: rules, publicNetworks: [])
        var alerts: [String] = []
        var addresses: Set<String> = []
        for event in events {
            for finding in detector.take(event, identity: { "event \($0)" }) {
                alerts.append("\(finding.alert.id) \(finding.alert.message)")
                if let ip = finding.alert.sourceIP { addresses.insert(ip.description) }
            }
        }
        return (alerts, addresses)
    }
}
