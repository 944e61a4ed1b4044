import Foundation
import LogSources

/// SIGTERM and SIGINT as a descriptor that becomes readable, so that a waiting ends at once and in order.
///
/// A plain handler and a pipe: from the moment it is set no signal is lost, as one would be between ignoring it and
/// listening for it by other means.
final class StopSignal {
    /// Readable when a stop was asked for.
    let descriptor: Int32
    /// Where the handler writes: it can reach nothing but what is global. Set before the handler is, and never closed,
    /// since a signal may come at any time.
    nonisolated(unsafe) private static var writeEnd: Int32 = -1

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SourceProblem(path: "pipe", reason: String(cString: strerror(errno))) }
        descriptor = ends[0]
        StopSignal.writeEnd = ends[1]
        // Who starts us may have had them blocked, and that is inherited.
        var wanted = sigset_t()
        sigemptyset(&wanted)
        for number in [SIGTERM, SIGINT] {
            signal(number) { _ in
                var byte: UInt8 = 1
                _ = write(StopSignal.writeEnd, &byte, 1)
            }
            sigaddset(&wanted, number)
        }
        pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
    }
}
