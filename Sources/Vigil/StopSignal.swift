import Foundation
import LogSources

/// SIGTERM, SIGINT and SIGHUP as a descriptor that becomes readable, so that a waiting ends at once and in order.
///
/// A plain handler and a pipe: from the moment it is set no signal is lost, as one would be between ignoring it and
/// listening for it by other means. There is one for the process, since a signal may come at any time.
final class StopSignal: Sendable {
    /// What is asked for.
    enum Demand: UInt8 {
        case stop = 1
        /// SIGHUP: the configuration has changed.
        case reload = 2
    }

    /// The one of this process; made when it is first asked for.
    static func shared() throws -> StopSignal { try one.get() }

    private static let one = Result { try StopSignal() }

    /// Readable when something is asked for.
    let descriptor: Int32
    /// Where the handler writes: it can reach nothing but what is global. Set before the handler is, and never closed.
    nonisolated(unsafe) private static var writeEnd: Int32 = -1

    private init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SourceProblem(path: "pipe", reason: String(cString: strerror(errno))) }
        descriptor = ends[0]
        StopSignal.writeEnd = ends[1]
        // Who starts us may have had them blocked, and that is inherited.
        var wanted = sigset_t()
        sigemptyset(&wanted)
        for number in [SIGTERM, SIGINT, SIGHUP] {
            signal(number) { number in
                var byte = (number == SIGHUP ? Demand.reload : .stop).rawValue
                _ = write(StopSignal.writeEnd, &byte, 1)
            }
            sigaddset(&wanted, number)
        }
        pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
    }

    /// What was asked for; of several, to stop. Call it when the descriptor is readable.
    func take() -> Demand {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor, &bytes, bytes.count)
        return bytes.prefix(max(0, count)).allSatisfy { $0 == Demand.reload.rawValue } ? .reload : .stop
    }
}
