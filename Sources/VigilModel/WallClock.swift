import Glibc

extension LogTime {
    /// What the clock on the wall says (CLOCK_REALTIME of clock_gettime(2)). Never what rules go by: they go by the log.
    public static var wallClock: LogTime {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return LogTime(milliseconds: Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000)
    }
}
