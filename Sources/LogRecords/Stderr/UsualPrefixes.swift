/// Prefixes that are in use. Of two that fit alike the first counts: those that end early for processes without a client
/// fit whatever the shorter ones fit.
enum UsualPrefixes {
    static let all = texts.map(LogLinePrefix.init)

    /// Prefixes without a time, as syslog does not need one.
    static let timeless = [
        "%q%u@%d ", "user=%u,db=%d,app=%a,client=%h ", "user=%u,db=%d,remote=%r ", "user=%u,db=%d ",
        "%quser=%u,db=%d,app=%a,client=%h ", "%quser=%u,db=%d ", "db=%d,user=%u,app=%a,client=%h ", "db=%d,user=%u ",
        "%u@%d ", "[%p] %q%u@%d ", "%h %q%u@%d ", "%q%u@%d %h ", "%q%u@%d %r ", "%q%r %u@%d ", "%c %q%u@%d ", "%c ",
        "%l %c ", "[%p] ", "%p ", "%e ", "",
    ].map(LogLinePrefix.init)

    /// A time, and anything between it and the severity.
    static let fallbacks = [
        "%m [%p]%~", "%t [%p]%~", "%m%~", "%t%~", "%n%~",
    ].map(LogLinePrefix.init)

    private static let texts = [
        // Debian and Ubuntu (10 on; before).
        "%m [%p] %q%u@%d ", "%t [%p-%l] %q%u@%d ",
        // PostgreSQL's default; EDB and old installations.
        "%m [%p] ", "%t [%p] ", "%t ", "%m ", "%t [%p]: ", "%m [%p]: ",
        // Amazon RDS and Aurora, old and new.
        "%t:%r:%u@%d:[%p]:", "%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:", "%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a",
        // Azure, single and flexible server.
        "%t-%c-", "%m-%c-", "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
        // Google Cloud SQL.
        "%m [%p]: [%l-1] db=%d,user=%u ", "%m [%p]: [%l-1] db=%d,user=%u,app=%a,client=%h ",
        "%m [%p]: %q[%l-1] db=%d,user=%u ",
        // pgBadger's manual.
        "%t [%p]: user=%u,db=%d,app=%a,client=%h ", "%t [%p]: [%l-1] user=%u,db=%d ",
        "%t [%p]: [%l-1] user=%u,db=%d,remote=%r ",
        "%m [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ", "%m [%p]: user=%u,db=%d,app=%a,client=%h ",
        "%t [%p]: db=%d,user=%u,app=%a,client=%h ", "%m [%p]: db=%d,user=%u,app=%a,client=%h ",
        "%t [%p]: %q[%l-1] user=%u,db=%d,app=%a,client=%h ", "%m [%p]: %q[%l-1] user=%u,db=%d,app=%a,client=%h ",
        "%t [%p]: [%l-1] %quser=%u,db=%d,app=%a,client=%h ", "%m [%p]: [%l-1] %quser=%u,db=%d,app=%a,client=%h ",
        "%m [%p] %quser=%u,db=%d,app=%a,client=%h ", "%t [%p] %quser=%u,db=%d,app=%a,client=%h ",
        // Zalando's Spilo; Supabase; Timescale; Crunchy; CloudNativePG reads csv; Percona; Yugabyte.
        "%t [%p]: [%l-1] %c %x %d %u %a %h ", "%h %m [%p] %q%u@%d ", "%m [%p]: [%x] user=%u,db=%d,app=%a,client=%h ",
        "%t:%h:%u@%d:[%p]: ", "%m [%p]: [%l-1] [trx_id=%x] user=%u,db=%d ",
        "%m [%r] [%p]: [%l-1] user=%u,db=%d,host=%h,app=%a ",
        "%m [%p] %q[user=%u,db=%d,app=%a] ", "%m [%p] %q[user=%u,db=%d,app=%a,client=%h] ",
        "%t [%p]: [%l] %quser=%u,db=%d,app=%a ",
        // Everything.
        "%m [%p] [%l] %c %r %u@%d app=%a vxid=%v xid=%x cmd=%i state=%e bt=%b ", "%m [%p] %b %q%u@%d ",
        "%m [%p] %q%u@%d/%a ",
        "%m [%p] %q%a %u@%d ", "%m [%p] %u@%d ", "%t [%p] %u@%d ", "%t [%p] %q%u@%d ", "%t [%p] %q%u@%d %h ",
        "%m [%p] %q%u@%d %h ",
        "%m [%p] %q%r %u@%d ", "%m [%p] %q%u@%d %r ", "%m [%p] %q%u@%d %a %h ", "%m [%p] %q%u@%d(%h) ",
        "%m [%p] %q%d %u %h ",
        "%m [%p] %u %d %h ", "%m [%p] %r %u %d ", "%m [%p] %h %u %d ", "%t %u %d ",
        "%m %u %d ", "%t %u@%d %p ", "%m %u@%d [%p] ", "%t [%p] %d %u ",
        "%m [%p] %d %u ",
        "%m [%p] %q%u %d ", "%t [%p] %q%u %d ", "%m %p %q%u@%d ", "%m %p ", "%t %p ", "%m %c ", "%t %c ", "%m [%c] ",
        "%n [%p] ", "%n [%p] %q%u@%d ", "%m [%p] %e ", "%m [%p] %q%e %u@%d ", "< %m >", "< %m > ", "< %t > ",
        "[%m] [%p] ",
    ]
}
