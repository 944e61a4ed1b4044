import VigilModel

/// When a log speaks: finds where one that always spoke said nothing for long.
///
/// It remembers in which of the last sixty minutes something was written. What was read before may be read again: it
/// changes nothing.
public struct LogRhythm: Sendable, Equatable {
    /// A silence that began after a moment.
    struct Silence {
        /// The last record before it.
        let last: LogTime
        /// Minutes of the hour before it in which something was written.
        let minutes: Int
        /// Tells it from one of another log that began at the same time.
        let mark: Int64
    }

    /// Milliseconds without a record that are a silence.
    static let patience: Int64 = 30 * 60_000
    /// In so many of the sixty minutes before it something must have been written.
    private static let steady = 50
    private static let seam: Int64 = 86_400_000
    /// A server that was told to stop writes for a while.
    private static let stopTime: Int64 = 120_000

    private var last: Int64 = .min
    private var minute: Int64 = .min
    /// The lowest bit is `minute`.
    private var minutes: UInt64 = 0
    /// When the server was last told to stop.
    private var stopped: Int64 = .min / 2

    /// A log of which nothing was read.
    public init() {}

    /// Takes what `text` gave; nil for anything else.
    public init?(text: String) {
        let parts = text.split(separator: " ").map { Int64($0, radix: 16) }
        guard parts.count == 4, let last = parts[0], let minute = parts[1], let minutes = parts[2],
            let stopped = parts[3]
        else { return nil }
        (self.last, self.minute, self.stopped) = (last, minute, stopped)
        self.minutes = UInt64(bitPattern: minutes)
    }

    /// As the store keeps it.
    public var text: String {
        [last, minute, Int64(bitPattern: minutes), stopped].map { String($0, radix: 16) }.joined(separator: " ")
    }

    /// Takes the time of a record; gives the silence that it ends.
    @inline(__always)
    mutating func take(_ time: LogTime) -> Silence? {
        let now = time.milliseconds
        guard now > last else { return nil }
        let step = now &- last
        // Behind a day without a record begins another day's log under the same name.
        if step >= LogRhythm.seam { minutes = 0 }
        let silence = step >= LogRhythm.patience ? due(at: time) : nil
        last = now
        let this = now / 60_000
        if this != minute { turn(to: this) }
        return silence
    }

    /// The server was told to stop.
    mutating func stop(at time: LogTime) { stopped = max(stopped, time.milliseconds) }

    /// The silence that has lasted long enough at a moment without a record; nil when there is none.
    func due(at now: LogTime) -> Silence? {
        guard last > .min, now.milliseconds - last >= LogRhythm.patience, last - stopped > LogRhythm.stopTime,
            minutes.nonzeroBitCount >= LogRhythm.steady
        else { return nil }
        return Silence(
            last: LogTime(milliseconds: last), minutes: minutes.nonzeroBitCount, mark: Int64(bitPattern: minutes))
    }

    private mutating func turn(to this: Int64) {
        let step = minute == .min ? 64 : this - minute
        minutes = step >= 64 ? 1 : (minutes << UInt64(step) | 1) & (1 << 60 - 1)
        minute = this
    }
}

extension SecurityEvent {
    /// Milliseconds without a record that are a silence.
    public static var silencePatience: Int64 { LogRhythm.patience }

    /// The event of a silence: of the moment at which it had lasted long enough, whoever finds it and when.
    init(_ silence: LogRhythm.Silence, kind: EventKind) {
        self.init(
            identity: EventIdentity(
                origin: "silence", line: silence.last.milliseconds,
                hash: UInt32(truncatingIfNeeded: silence.mark ^ (silence.mark >> 32)), ordinal: 0),
            time: silence.last.adding(milliseconds: LogRhythm.patience), kind: kind,
            actor: EventActor(address: nil, user: nil, database: nil))
        content = silence.mark
        message =
            "nothing was written after \(silence.last) for \(Shown.duration(LogRhythm.patience)) or longer; "
            + "in the hour before, something was in \(silence.minutes) of 60 minutes"
    }
}
