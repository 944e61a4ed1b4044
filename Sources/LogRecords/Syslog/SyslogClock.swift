import VigilModel

/// Times of syslog in UTC. A time without a year gets the newest one that is not after what the file shows otherwise:
/// the time where reading starts, a time with a year in the text, or the moment the file was last written to. From there
/// on the year moves when the month steps from December to January.
struct SyslogClock {
    private var local: LocalClock
    /// The last time, as printed.
    private var last: LogTime?

    private static let halfYear: Int64 = 182 * 86_400_000
    private static let day: Int64 = 86_400_000

    private let newest: LogTime

    /// `start` is a time near the first one, with its year; `newest` one that no line is after.
    init(timezone: String?, start: LogTime?, newest: LogTime) {
        local = LocalClock(timezone: timezone, after: start ?? .distantPast)
        last = start
        self.newest = newest
    }

    /// True when a time had to be read as UTC because no zone is configured.
    var isGuessing: Bool { local.isGuessing }

    /// The time of a line.
    mutating func time(_ stamp: SyslogEnvelope.Stamp) -> LogTime {
        switch stamp {
        case .utc(let time): return time
        case .local(let time): return local.utc(ofLocal: time)
        case .yearless(let month, let day, let milliseconds):
            let printed = date(month, day, milliseconds)
            last = printed
            return local.utc(ofLocal: printed)
        }
    }

    private func date(_ month: Int, _ day: Int, _ milliseconds: Int64) -> LogTime {
        func time(_ year: Int) -> LogTime {
            LogTime(
                milliseconds: Int64(LogTime.days(year: year, month: month, day: day)) * SyslogClock.day + milliseconds)
        }
        let anchor = last ?? newest
        let year = LogTime.date(days: Int(anchor.milliseconds.quotientDown(SyslogClock.day))).year
        if last == nil {
            // Local time may be ahead of UTC by most of a day.
            return time(year) > newest.adding(milliseconds: SyslogClock.day) ? time(year - 1) : time(year)
        }
        let nearest = [time(year - 1), time(year), time(year + 1)].min {
            abs($0.milliseconds - anchor.milliseconds) < abs($1.milliseconds - anchor.milliseconds)
        }
        return nearest ?? time(year)
    }
}
