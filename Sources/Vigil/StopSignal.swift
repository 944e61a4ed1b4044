import Dispatch
import Foundation
import LogSources

/// SIGTERM and SIGINT as a descriptor that becomes readable, so that a waiting ends at once and in order.
final class StopSignal {
    /// Readable when a stop was asked for.
    let descriptor: Int32
    private let sources: [any DispatchSourceSignal]
    private let writeEnd: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SourceProblem(path: "pipe", reason: String(cString: strerror(errno))) }
        descriptor = ends[0]
        let end = ends[1]
        writeEnd = end
        sources = [SIGTERM, SIGINT].map { number in
            // The default action must go, or it ends the process before the source hears of it.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                var byte: UInt8 = 1
                _ = write(end, &byte, 1)
            }
            source.resume()
            return source
        }
    }

    deinit {
        for source in sources { source.cancel() }
        close(descriptor)
        close(writeEnd)
    }
}
