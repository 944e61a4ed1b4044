import VigilModel

/// Lines for pg_hba.conf (PostgreSQL, "The pg_hba.conf File") and PgBouncer's auth_hba_file. `all` does not hold for
/// replication, so that has a line of its own.
enum HBAList {
    static func render(_ bans: [Ban]) -> String {
        bans.map { "host all all \($0.cidr) reject\nhost replication all \($0.cidr) reject\n" }.joined()
    }
}
