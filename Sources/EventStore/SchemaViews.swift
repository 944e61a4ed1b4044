import VigilModel

/// What the tables mean in words: `event`, and over which connection an event came (`event_hop`).
enum SchemaViews {
    /// The hop that an event came over: of those open then one that is known before one that is only likely, and the
    /// last. A login comes at a connection's start: of one whose end is not known it is no more after a minute.
    private static let nearest = """
        (SELECT x.id FROM hops x WHERE x.address = a.address AND x.port = e.port
            AND x.start <= e.time + \(ProxyHop.slack)
            AND CASE WHEN x."end" = \(Int64.max) AND k.category = 'authentication'
                THEN x.start + 60000 ELSE x."end" END >= e.time - \(ProxyHop.slack)
            ORDER BY x.exact DESC, x.start DESC, x.client, x.client_port LIMIT 1)
        """

    /// Behind a pooler may stand a proxy.
    private static let behind = """
        (SELECT x.id FROM hops x WHERE x.address = n.client AND x.port = n.client_port AND x.exact
            AND x.start <= n.start + \(ProxyHop.slack) AND x."end" >= n.start - \(ProxyHop.slack)
            ORDER BY x.start DESC, x.client, x.client_port LIMIT 1)
        """

    private static let client = "coalesce(p.client, n.client)"
    private static let clientIP = "CASE WHEN p.id IS NULL THEN n.client_ip ELSE p.client_ip END"
    private static let clientPort = "coalesce(p.client_port, n.client_port)"
    private static let isOfSession =
        "k.dataset IN ('postgresql.log', 'pgaudit') AND k.action NOT IN ('tamper.file', 'tamper.silence')"

    static let all = """
        CREATE VIEW event_hop AS
            SELECT e.seq, \(client) AS client, \(clientIP) AS client_ip, \(clientPort) AS client_port, n.exact,
                n.id AS hop, p.id AS behind
            FROM events e JOIN actors a ON a.id = e.actor JOIN kinds k ON k.id = e.kind
                JOIN hops n ON n.id = \(nearest) LEFT JOIN hops p ON p.id = \(behind);
        CREATE VIEW event AS
            SELECT e.seq, e.origin || '-' || e.line || '-' || printf('%08x', e.mark >> 16)
                    || CASE WHEN e.mark & 65535 > 0 THEN '.' || (e.mark & 65535) ELSE '' END
                    || CASE WHEN EXISTS (SELECT 1 FROM events t WHERE t.origin = e.origin AND t.line = e.line
                        AND t.mark = e.mark AND t.content <> e.content)
                        THEN '~' || printf('%016x', e.content) ELSE '' END AS id,
                e.time, k.dataset, k.category, k.action,
                coalesce((SELECT min(x.outcome) FROM records r JOIN kinds x ON x.id = r.kind
                    WHERE r.event = e.seq AND x.outcome <> 'unknown'), k.outcome) AS outcome,
                k.reason, k.severity,
                max(e.count, coalesce((SELECT max(r.count) FROM records r WHERE r.event = e.seq), 0)) AS count,
                k.tags || coalesce((SELECT ' ' || replace(group_concat(DISTINCT nullif(x.tags, '')), ',', ' ')
                    FROM records r JOIN kinds x ON x.id = r.kind WHERE r.event = e.seq), '')
                    || CASE WHEN n.exact = 0 THEN ' proxy.candidate' ELSE '' END AS tags, e.message,
                coalesce(\(client), nullif(a.address, '')) AS address,
                CASE WHEN n.id IS NULL THEN a.ip ELSE \(clientIP) END AS ip, coalesce(\(clientPort), e.port) AS port,
                CASE WHEN n.id IS NOT NULL THEN a.ip END AS nat_ip,
                CASE WHEN n.id IS NOT NULL THEN e.port END AS nat_port,
                nullif(a.user, '') AS user, e.target_user,
                nullif(a.database, '') AS database, e.operation,
                coalesce(e.object, (SELECT min(r.object) FROM records r WHERE r.event = e.seq)) AS object,
                coalesce(e.object_type, (SELECT min(r.object_type) FROM records r WHERE r.event = e.seq)) AS object_type,
                coalesce(e.audit_class, (SELECT min(r.audit_class) FROM records r WHERE r.event = e.seq)) AS audit_class,
                e.query, e.pid,
                e.auth_method, e.hba_rule, e.tls_version, e.secret, e.sqlstate,
                CASE WHEN \(isOfSession) THEN coalesce(e.session, e.origin) END AS session,
                CASE WHEN \(isOfSession) THEN coalesce(e.session_line, e.line) END AS session_line,
                e.application,
                s.cluster, s.instance, s.path, e.offset
            FROM events e JOIN kinds k ON k.id = e.kind JOIN actors a ON a.id = e.actor
                JOIN sources s ON s.id = e.source
                LEFT JOIN hops n ON n.id = \(nearest) LEFT JOIN hops p ON p.id = \(behind);
        """
}
