import Foundation
import HTTPTransport
import LogSources
import VigilModel

/// Rows that a server of logs let go of before they were read.
struct FleetGap {
    /// How long a time they are of.
    let seconds: Double
    /// What a person is told.
    let text: String

    /// Nil when there is none, or the server does not say how long it keeps rows.
    init?(_ source: FleetSource, from reached: LogTime?, _ cancellation: HTTPClient.Cancellation) {
        guard let reached,
            let kept = VictoriaLogsReader(source.server, cancellation: cancellation).retention()
        else { return nil }
        let oldest = LogTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1000) - kept)
        guard reached < oldest else { return nil }
        seconds = Double(oldest.milliseconds - reached.milliseconds) / 1000
        text =
            "\(Shown.text(source.name)): rows from \(reached) to \(oldest) were not read, and the server keeps only "
            + "\(Shown.duration(kept)): they are lost here"
    }
}
