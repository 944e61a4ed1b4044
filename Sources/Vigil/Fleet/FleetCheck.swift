import Foundation
import HTTPTransport
import LogSources
import VigilModel

extension SetupCheck {
    /// Whether each server of logs answers, and has what is read.
    func fleets() -> [Finding] {
        configuration.fleets.map { source in
            let now = LogTime.wallClock
            let reader = VictoriaLogsReader(source.server, cancellation: HTTPClient.Cancellation())
            do {
                let hour = TimeWindow(from: now.adding(milliseconds: -3_600_000), to: now)
                let rows = try reader.load(source.query, hour).rows
                guard rows > 0 else {
                    return Finding(
                        .gap, source.name, "no row of the last hour fits",
                        hint: "check `query`, `jobs` and the tenant; Vector's rows have a field `job`")
                }
                guard source.isReceived else { return Finding(.ok, source.name, "\(rows) rows in the last hour") }
                return Finding(
                    .gap, source.name,
                    "\(rows) rows in the last hour; times of PostgreSQL's rows count as those of receipt: they ban nobody",
                    hint: "compare `_time` with a log; where they agree, `time: log` (docs/victorialogs.md)")
            } catch {
                return Finding(.fail, source.name, "\(error)", hint: "check the address, its TLS and its credentials")
            }
        }
    }
}
